import { isIP } from 'node:net';
import { ConfigError } from './config-error.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** Nobody named it: a machine may be without it. */
  readonly optional?: boolean;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * `127.0.0.1:80`, `[::]:443`, `:443` (every address), `443` (loopback). Port 0 = any free one.
 * @throws ConfigError
 */
export function parseAddress(flag: string, text: string): Address {
  const { host, rest } = splitHost(flag, text);
  return { host, port: parsePort(flag, text, rest) };
}

/** `127.0.0.1:20000-20999`, one port, or port 0. */
export function parseRange(flag: string, text: string): { readonly host: string; readonly range: PortRange } {
  const { host, rest } = splitHost(flag, text);
  const [first = '', last = first, ...more] = rest.split('-');
  const range = { from: parsePort(flag, text, first), to: parsePort(flag, text, last) };
  if (more.length > 0 || range.to < range.from || (range.from === 0 && range.to !== 0))
    throw new ConfigError(flag, text, 'expected host:from-to, or host:0 for any free ports');
  return { host, range };
}

export function parsePort(flag: string, whole: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) throw new ConfigError(flag, whole, `"${text}" is not a port (0 to 65535)`);
  return port;
}

function splitHost(flag: string, text: string): { host: string; rest: string } {
  const bracketed = /^\[([^\]]+)\]:(.+)$/.exec(text);
  if (bracketed?.[1] !== undefined && bracketed[2] !== undefined) {
    if (isIP(bracketed[1]) !== 6) throw new ConfigError(flag, text, `"${bracketed[1]}" is not an IPv6 address`);
    return { host: bracketed[1], rest: bracketed[2] };
  }
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { host: '127.0.0.1', rest: text };
  const host = text.slice(0, colon);
  if (host.includes(':')) throw new ConfigError(flag, text, 'write an IPv6 address in brackets, as [::1]:443');
  if (host !== '' && host !== 'localhost' && isIP(host) === 0) {
    throw new ConfigError(flag, text, `"${host}" is not an IP address; 0.0.0.0 stands for all of this machine`);
  }
  return { host: host === '' ? '::' : host, rest: text.slice(colon + 1) };
}

/** A loopback listener answers on both loopback addresses: clients try ::1 first (agent-and-ux.md §6.1). */
export function withBothLoopbacks(address: Address): readonly Address[] {
  if (address.host !== '127.0.0.1' && address.host !== 'localhost') return [address];
  return [
    { host: '127.0.0.1', port: address.port },
    { host: '::1', port: address.port, optional: true },
  ];
}

/** The same for a list, each address once: an `::1` that was named is not bound a second time beside `127.0.0.1`. */
export function everyAddress(addresses: readonly Address[]): readonly Address[] {
  const found = new Map<string, Address>();
  for (const address of addresses.flatMap(withBothLoopbacks)) {
    const key = formatAddress(address);
    if (!found.has(key) || address.optional !== true) found.set(key, address);
  }
  return [...found.values()];
}

/** Where a client on this machine finds a listener: on every address means on loopback too. */
export function reachable({ host, port }: Address): Address {
  return { host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port };
}

/** host:port with brackets where IPv6 needs them. */
export function formatAddress({ host, port }: Address): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
