/** HTTP/1 for both roles, and the same rules for heads that come over HTTP/2. */
export * from './types.ts';
export { createRequestParser } from './request-parser.ts';
export { createResponseParser } from './response-parser.ts';
export {
  CHUNK_END,
  chunkHeader,
  encodeRequestHead,
  encodeResponseHead,
  encodeTrailers,
  LAST_CHUNK,
  linesOf,
  requestHeadText,
  requestLine,
  responseHeadText,
  statusLine,
} from './encode.ts';
export { isFieldValue, isToken } from './characters.ts';
export { originForm, parseAbsoluteTarget, parseAuthority, type AbsoluteTarget } from './authority.ts';
export { nameTable, type NameTable, type NamesToSee } from './name-table.ts';
export { connectionTokens, endToEndFields, HOP_BY_HOP_NAMES, isHopByHop } from './hop-by-hop.ts';
export { forbiddenTrailer, isForbiddenTrailer } from './trailers.ts';
export {
  fieldsForH2,
  validateH2RequestHead,
  validateH2ResponseHead,
  validateH2Trailers,
  type H2RequestResult,
  type H2ResponseResult,
  type H2Result,
  type H2TrailersResult,
} from './h2-head.ts';
