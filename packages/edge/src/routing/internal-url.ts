/** URLs of internal endpoints, as `forward-internal` names them (traffic-policy.md, forward-internal). */
import { fail } from '@postern/errors';
import { isScheme, type Scheme } from '@postern/link';

export interface InternalAddress {
  readonly scheme: Scheme;
  /** Lower-case. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, tls: 443, tcp: 0 };
const SHAPE = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#@:\s]+)(?::(\d{1,5}))?\/?$/i;

/**
 * Reads `https://a.internal`, `tcp://db.internal:5432`, `a.internal` (= https).
 * @throws PosternError 2226
 */
export function parseInternalUrl(url: string): InternalAddress {
  const match = SHAPE.exec(url);
  if (match === null) throw bad(url, 'it has to look like https://name.internal or tcp://name.internal:port');
  const scheme = (match[1] ?? 'https').toLowerCase();
  if (!isScheme(scheme)) throw bad(url, `the scheme "${scheme}" is not one of http, https, tls, tcp`);
  const port = match[3] === undefined ? DEFAULT_PORTS[scheme] : Number(match[3]);
  if (port === undefined || port === 0) throw bad(url, 'a tcp URL needs a port');
  if (port > 65_535) throw bad(url, `the port ${port} is above 65535`);
  return { scheme, host: (match[2] ?? '').toLowerCase(), port };
}

function bad(value: string, reason: string): Error {
  return fail(2226, { path: 'url', value, reason });
}
