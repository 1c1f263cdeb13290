import type { Scheme } from '@postern/link';
import { addressOf, defaultPort, parsePort, type Address } from './urls.ts';

/** Address of a hostport that an edge was accepted with; null for a text that is none. */
export function hostportAddress(kind: Exclude<Scheme, 'http'>, hostport: string): Address | null {
  const colon = hostport.lastIndexOf(':');
  const host = (colon < 0 ? hostport : hostport.slice(0, colon)).toLowerCase();
  const port = colon < 0 ? defaultPort(kind) : parsePort(hostport.slice(colon + 1));
  if (host === '' || port === null || port === 0) return null;
  return addressOf(kind, 'public', host, port);
}
