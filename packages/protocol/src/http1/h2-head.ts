/**
 * Heads that came over HTTP/2, held to the rules of HTTP/1 heads before they may become one (RFC 9113 §8.2, §8.3,
 * §10.3), and HTTP/1 fields made fit for HTTP/2.
 */
import { isOriginForm, readAuthority, sameAuthority } from './authority.ts';
import { equalsLower, isToken } from './characters.ts';
import { CHUNKED, NO_BODY, parseContentLength } from './framing.ts';
import { pseudoOf, readH2Block, singleField } from './h2-fields.ts';
import { connectionTokens, isHopByHop } from './hop-by-hop.ts';
import { DEFAULT_LIMITS, Refusal } from './refusal.ts';
import { forbiddenTrailer } from './trailers.ts';
import type { Framing, Http1Failure, RawFields, RequestHead, ResponseHead } from './types.ts';

const REQUEST_PSEUDO = new Set([':method', ':scheme', ':authority', ':path', ':protocol']);
const RESPONSE_PSEUDO = new Set([':status']);
const NO_PSEUDO: ReadonlySet<string> = new Set();

/** In a TE field. */
const TRAILERS = /(^|,)[ \t]*trailers[ \t]*(,|$)/i;

/** `failure` is null exactly when the value is there. */
export type H2Result<T> = ({ readonly failure: null } & T) | { readonly failure: Http1Failure };

export type H2RequestResult = H2Result<{ readonly head: RequestHead; readonly scheme: 'http' | 'https' }>;
export type H2ResponseResult = H2Result<{ readonly head: ResponseHead }>;
export type H2TrailersResult = H2Result<{ readonly fields: RawFields }>;

/**
 * @param raw the header block as `node:http2` hands it out: name, value, …, pseudo fields first
 * @param endStream the block ended the stream, so there is no body
 * @returns a head as the HTTP/1 parser would make it: `fields` begin with `host`, cookie crumbs are one field, `te` is
 *   kept; `framing` is `chunked` for a body of unknown length
 */
export function validateH2RequestHead(
  raw: readonly string[],
  endStream: boolean,
  maxFields: number = DEFAULT_LIMITS.fieldCount,
): H2RequestResult {
  try {
    return { failure: null, ...readRequest(raw, endStream, maxFields) };
  } catch (error) {
    return { failure: failureOf(error, null) };
  }
}

function readRequest(
  raw: readonly string[],
  endStream: boolean,
  maxFields: number,
): { head: RequestHead; scheme: 'http' | 'https' } {
  const { pseudo, fields } = readH2Block(raw, REQUEST_PSEUDO, maxFields);
  const method = pseudoOf(pseudo, ':method') ?? '';
  if (!isToken(method)) throw new Refusal(400, 'an invalid :method');
  if (method === 'CONNECT' || pseudoOf(pseudo, ':protocol') !== null) {
    throw new Refusal(405, 'the method CONNECT, which is not served here');
  }
  const scheme = pseudoOf(pseudo, ':scheme');
  if (scheme !== 'http' && scheme !== 'https') throw new Refusal(400, 'a :scheme other than http and https');
  const target = pseudoOf(pseudo, ':path') ?? '';
  if (!isOriginForm(target) && !(target === '*' && method === 'OPTIONS')) throw new Refusal(400, 'an invalid :path');

  const authority = authorityOf(pseudoOf(pseudo, ':authority'), singleField(fields, 'host'), scheme);
  const expect = singleField(fields, 'expect');
  const head: RequestHead = {
    method,
    target,
    authority,
    minor: 1,
    fields: asHttp1Fields(fields, authority),
    framing: framingOf(singleField(fields, 'content-length'), endStream),
    keepAlive: true,
    upgrade: '',
    expectContinue: expect !== null && equalsLower(expect, 0, expect.length, '100-continue'),
  };
  return { head, scheme };
}

function authorityOf(pseudo: string | null, host: string | null, scheme: 'http' | 'https'): string {
  const named = pseudo ?? host;
  if (named === null) throw new Refusal(400, 'neither :authority nor host');
  const authority = readAuthority(named, pseudo === null ? 'host field' : ':authority');
  if (pseudo !== null && host !== null && !sameAuthority(scheme, authority, readAuthority(host, 'host field'))) {
    throw new Refusal(400, 'a host field that differs from :authority');
  }
  return authority;
}

/** Without a declared length the body goes on in chunks. An empty stream may declare 0 and nothing else. */
function framingOf(contentLength: string | null, endStream: boolean): Framing {
  if (contentLength === null) return endStream ? NO_BODY : CHUNKED;
  const length = parseContentLength(contentLength);
  if (endStream && length !== 0) throw new Refusal(400, 'a content-length of a request that ended without a body');
  return { kind: 'length', length };
}

/** `host` first; cookies joined again, because HTTP/1 has one Cookie field (RFC 9113 §8.2.3). */
function asHttp1Fields(fields: RawFields, authority: string): RawFields {
  const result: RawFields = ['host', authority];
  let cookieAt = -1;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    if (name === 'host') continue;
    if (name === 'cookie' && cookieAt !== -1) {
      const before = result[cookieAt] ?? '';
      // An empty crumb says nothing, and would leave a blank at an end of the value.
      result[cookieAt] = before === '' || value === '' ? before + value : `${before}; ${value}`;
      continue;
    }
    result.push(name, value);
    if (name === 'cookie') cookieAt = result.length - 1;
  }
  return result;
}

/**
 * A response head of an HTTP/2 upstream.
 * @param raw name, value, …, `:status` among them (first, as on the wire)
 * @param method of the request that it answers
 */
export function validateH2ResponseHead(
  raw: readonly string[],
  endStream: boolean,
  method: string,
  maxFields: number = DEFAULT_LIMITS.fieldCount,
): H2ResponseResult {
  try {
    return { failure: null, head: readResponse(raw, endStream, method, maxFields) };
  } catch (error) {
    return { failure: failureOf(error, 502) };
  }
}

function readResponse(raw: readonly string[], endStream: boolean, method: string, maxFields: number): ResponseHead {
  const { pseudo, fields } = readH2Block(raw, RESPONSE_PSEUDO, maxFields);
  const text = pseudoOf(pseudo, ':status') ?? '';
  if (!/^[1-5][0-9][0-9]$/.test(text) || text === '101') throw new Refusal(502, 'an invalid :status');
  const status = Number(text);
  // It means nothing in a response, but repeated it is refused as in HTTP/1, whose readers may route by it.
  singleField(fields, 'host');
  const contentLength = singleField(fields, 'content-length');
  const length = contentLength === null ? null : parseContentLength(contentLength);
  const bodiless = status < 200 || status === 204;
  if (bodiless && length !== null && length !== 0) {
    throw new Refusal(502, `a body with the status ${status}, which has none`);
  }
  if (endStream && status < 200) throw new Refusal(502, 'an interim response that ends the stream');
  return { status, reason: '', minor: 1, fields, framing: framing(), keepAlive: true, upgrade: '' };

  function framing(): Framing {
    if (bodiless || status === 304 || method === 'HEAD') return NO_BODY;
    if (length !== null) {
      if (endStream && length !== 0) throw new Refusal(502, 'a content-length of a response that ended without a body');
      return { kind: 'length', length };
    }
    return endStream ? { kind: 'length', length: 0 } : CHUNKED;
  }
}

/** A trailer block: no pseudo fields, nothing that frames, routes or authenticates. */
export function validateH2Trailers(
  raw: readonly string[],
  maxFields: number = DEFAULT_LIMITS.fieldCount,
): H2TrailersResult {
  try {
    const { fields } = readH2Block(raw, NO_PSEUDO, maxFields);
    const forbidden = forbiddenTrailer(fields);
    if (forbidden !== null) throw new Refusal(400, `the field ${forbidden} in a trailer section`);
    return { failure: null, fields };
  } catch (error) {
    return { failure: failureOf(error, null) };
  }
}

function failureOf(error: unknown, status: number | null): Http1Failure {
  if (!(error instanceof Refusal)) throw error;
  return { status: status ?? error.failure.status, reason: error.failure.reason };
}

/**
 * Fields of an HTTP/1 message as HTTP/2 may carry them: names in lower case, nothing that concerns one connection
 * (RFC 9113 §8.2.2), no `host` (it is `:authority`). `te: trailers` stays when it was sent.
 */
export function fieldsForH2(fields: RawFields): RawFields {
  const nominated = connectionTokens(fields);
  const result: RawFields = [];
  let trailers = false;
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] ?? '').toLowerCase();
    const value = fields[index + 1] ?? '';
    if (isHopByHop(name)) trailers ||= name === 'te' && TRAILERS.test(value);
    else if (name !== 'host' && !nominated.has(name)) result.push(name, value);
  }
  if (trailers) result.push('te', 'trailers');
  return result;
}
