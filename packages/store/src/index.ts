export * from './types.ts';
export { createIdSource, isId, isSuffix, suffixOf, timestampOf, type IdSource, type IdSourceOptions } from './ids.ts';
export { createToken, hashToken, splitToken, tokenMatches, type NewToken, type TokenParts } from './tokens.ts';
export { timestamp } from './timestamp.ts';
