import { fail } from '@postern/errors';
import type { GivenRequest } from './given.ts';
import type { HeaderLines } from './headers.ts';

export interface WrittenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderLines;
  readonly body: Buffer;
  readonly version?: string | undefined;
  readonly clientIp?: string | undefined;
  readonly serverIp?: string | undefined;
  readonly sni?: string | undefined;
  readonly ja4?: string | undefined;
}

/** Addresses that nobody has (RFC 5737). */
const CLIENT = '203.0.113.7';
const SERVER = '198.51.100.1';

/**
 * @param path of the request, for what is said of it
 * @throws PosternError 2226
 */
export function requestOf(written: WrittenRequest, path: string): GivenRequest {
  const { url } = written;
  if (!URL.canParse(url)) throw fail(2226, { path, value: url, reason: 'it does not parse' });
  const { protocol, hostname, port, username } = new URL(url);
  const scheme = protocol === 'http:' || protocol === 'tcp:' ? 'http' : 'https';
  if (!['http:', 'https:', 'tcp:', 'tls:'].includes(protocol) || hostname === '' || username !== '') {
    throw fail(2226, { path, value: url, reason: 'it must begin with https://, http://, tls:// or tcp:// and a host' });
  }
  return {
    method: written.method,
    scheme,
    authority: port === '' ? hostname : `${hostname}:${port}`,
    target: targetOf(url),
    headers: written.headers,
    body: written.body,
    version: written.version ?? 'HTTP/1.1',
    clientIp: written.clientIp ?? CLIENT,
    serverIp: written.serverIp ?? SERVER,
    sni: written.sni ?? hostname,
    ja4: written.ja4 ?? '',
  };
}

/** As written: what the URL class makes of a path is what rules are to see only if it was sent so. */
function targetOf(url: string): string {
  const [whole = ''] = url.split('#', 1);
  const path = whole.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}
