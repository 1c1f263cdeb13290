import { BlockList, isIP } from 'node:net';
import process from 'node:process';

/**
 * Which proxy leads to a server. One that is named leads to all of them, `false` to none; else the environment says it,
 * as for other programs: HTTPS_PROXY (a connection to a server is TLS), ALL_PROXY, or the older http_proxy, each in small
 * letters, too; and NO_PROXY where not: names with everything below them, addresses, networks, each with a port or without,
 * or `*`. This machine is never reached through a proxy that was not named.
 */
export function proxyChooser(
  named: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): (address: string) => string | undefined {
  if (named === 'false') return () => undefined;
  if (named !== undefined && named !== '') return () => named;
  const proxy = firstOf(env, 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'http_proxy');
  if (proxy === undefined) return () => undefined;
  const exceptions = (firstOf(env, 'NO_PROXY', 'no_proxy') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return (address) => {
    const { hostname, port } = new URL(`https://${address}`);
    const host = hostname.replaceAll(/^\[|\]$|\.$/g, '');
    if (isThisMachine(host)) return undefined;
    return exceptions.some((entry) => covers(entry.toLowerCase(), host, port || '443')) ? undefined : proxy;
  };
}

function firstOf(env: NodeJS.ProcessEnv, ...names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== '');
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, bracketed, plain = '', wantedPort] = /^(?:\[(.*)\]|([^:]*(?::[^:]*:.*)?))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain).replace(/^\*?\./, '').replace(/\.$/, '');
  if (name === '' || (wantedPort !== undefined && wantedPort !== port)) return false;
  if (name.includes('/')) return inNetwork(name, host);
  return host === name || (isIP(name) === 0 && host.endsWith(`.${name}`));
}

function inNetwork(network: string, host: string): boolean {
  const family = isIP(host);
  const [base = '', bits = ''] = network.split('/');
  if (family === 0 || isIP(base) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(base, Number(bits), kind);
  return list.check(host, kind);
}
