import { isIPv6 } from 'node:net';
import type { EndpointProto } from '@postern/protocol';
import { AgentError } from './agent-error.ts';

/** Where a listener's connections go. */
export interface UpstreamAddress {
  readonly scheme: EndpointProto;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/**
 * A target as people write it, as a full URL (agent-and-ux.md §1.2, upstream address normalisation): `3000` is
 * `http://localhost:3000`, port 443 means https, `https://` alone is `https://localhost:443`. For tcp and tls a port is
 * needed, and a scheme may be given (`tls://` then means that the upstream itself speaks TLS).
 * @throws AgentError that says what to write instead
 */
export function normalizeTarget(target: string, proto: EndpointProto = 'http'): string {
  const text = target.trim();
  if (text === '') throw new AgentError('The target is empty. Give a port, host:port, or a URL.');
  if (text.startsWith('file:')) {
    throw new AgentError(`"${text}" is a folder; this agent does not serve files. Start a web server there.`);
  }
  const web = proto === 'http' || proto === 'https';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  const { host, port } = splitHostPort(scheme === undefined ? text : text.slice(scheme.length + 3), text);
  const chosen = scheme ?? (web ? (port === 443 ? 'https' : 'http') : 'tcp');
  if (chosen !== 'http' && chosen !== 'https' && chosen !== 'tcp' && chosen !== 'tls') {
    throw new AgentError(`"${text}" has the scheme ${chosen}. Targets are http, https, tcp or tls URLs.`);
  }
  if (!web && (chosen === 'http' || chosen === 'https')) {
    throw new AgentError(`"${text}" is a web address; a ${proto} endpoint needs host:port, or a port.`);
  }
  const known = chosen === 'http' || chosen === 'https' ? DEFAULT_PORTS[chosen] : undefined;
  const complete = port ?? known;
  if (complete === undefined) throw new AgentError(`"${text}" has no port. Write ${host}:PORT.`);
  return formatUpstream({ scheme: chosen, host, port: complete });
}

/** Takes a full URL apart; what {@link normalizeTarget} returns is one. */
export function parseUpstream(url: string): UpstreamAddress {
  const match = /^(https?|tcp|tls):\/\/([^/]*)\/?$/i.exec(url);
  const scheme = match?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'tcp' && scheme !== 'tls') {
    throw new AgentError(`The upstream "${url}" is not of the form http://, https://, tcp:// or tls://host:port.`);
  }
  const { host, port } = splitHostPort(match?.[2] ?? '', url);
  const complete = port ?? (scheme === 'http' || scheme === 'https' ? DEFAULT_PORTS[scheme] : undefined);
  if (complete === undefined) throw new AgentError(`The upstream "${url}" has no port.`);
  return { scheme, host, port: complete };
}

export function formatUpstream(address: UpstreamAddress): string {
  return `${address.scheme}://${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

/** `host:port` of a server to dial; 443 when there is no port. */
export function parseServerAddr(text: string): { host: string; port: number } {
  const { host, port } = splitHostPort(text.trim(), text);
  return { host, port: port ?? 443 };
}

/** A port alone is on localhost; IPv6 addresses are in brackets; a path is refused, because bytes have none. */
function splitHostPort(text: string, whole: string): { host: string; port: number | undefined } {
  const rest = text.endsWith('/') ? text.slice(0, -1) : text;
  if (rest === '') return { host: 'localhost', port: undefined };
  if (/^\d+$/.test(rest)) return { host: 'localhost', port: parsePort(rest, whole) };
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]*))(?::(\d+))?$/i.exec(rest);
  if (match === null) throw new AgentError(`"${whole}" is not a port, host:port, or URL without a path.`);
  const [, bracketed, name, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) throw new AgentError(`"${bracketed}" is not an IPv6 address.`);
  const host = bracketed ?? (name === undefined || name === '' ? 'localhost' : name);
  return { host, port: port === undefined ? undefined : parsePort(port, whole) };
}

function parsePort(text: string, whole: string): number {
  const port = Number(text);
  if (port < 1 || port > 65_535) throw new AgentError(`"${whole}" has no valid port; ports are 1 to 65535.`);
  return port;
}
