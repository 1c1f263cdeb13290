import { isScheme, type Binding, type Scheme } from '@postern/link';
import { hostProblem, isInternalHost, isWildcard, type HostProblem } from './hosts.ts';

/** The text of an endpoint URL taken apart; nothing is decided yet. */
export interface UrlParts {
  readonly scheme: Scheme;
  /** Lower-case; '' when the text has none (`https://`). */
  readonly host: string;
  /** 0 when the text has none. */
  readonly port: number;
}

/** Where an endpoint is: the one value that claims, routes and views are made from. */
export interface Address {
  readonly scheme: Scheme;
  readonly binding: Binding;
  readonly host: string;
  /** As in the URL, the scheme's default filled in. */
  readonly port: number;
  /** Canonical: lower-case, without the scheme's default port. */
  readonly url: string;
}

/** What the rules need to know of this installation. */
export interface AddressPlan {
  /** Lower-case; generated names go under the first one. */
  readonly baseDomains: readonly string[];
  readonly publicHttpPort: number;
  readonly publicHttpsPort: number;
  /** Host part of `tcp://` URLs. */
  readonly tcpHost: string;
  readonly tcpPortRange: { readonly first: number; readonly last: number };
  /** Names that this server itself answers on (agents dial them); no endpoint may take them. */
  readonly ownNames: readonly string[];
}

/** Why a URL cannot be an endpoint's. The API and the agent plane choose their codes from `kind`. */
export type AddressProblem =
  /** `character`: the one that is in no name. */
  | { readonly kind: 'malformed'; readonly reason: string; readonly character?: string }
  | { readonly kind: 'scheme'; readonly scheme: string }
  | { readonly kind: 'trailing-slash' }
  | { readonly kind: 'part'; readonly part: 'path' | 'query' | 'fragment' | 'user' }
  | { readonly kind: 'port-syntax'; readonly port: string }
  | { readonly kind: 'port-missing' }
  | { readonly kind: 'port-not-allowed'; readonly port: number; readonly scheme: Scheme; readonly allowed: string }
  | { readonly kind: 'host'; readonly problem: HostProblem; readonly host: string }
  | { readonly kind: 'not-internal' }
  | { readonly kind: 'internal-as-public' }
  | { readonly kind: 'internal-depth'; readonly depth: number }
  | { readonly kind: 'kubernetes-host' }
  | { readonly kind: 'kubernetes-scheme'; readonly scheme: Scheme }
  | { readonly kind: 'foreign-tcp-host'; readonly tcpHost: string }
  | { readonly kind: 'own-name'; readonly host: string };

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: AddressProblem };

/** 0 for tcp, which has none. */
export function defaultPort(scheme: Scheme): number {
  if (scheme === 'tcp') return 0;
  return scheme === 'http' ? 80 : 443;
}

/** The port that visitors use for public endpoints of the scheme; 0 for tcp. */
export function publicPort(scheme: Scheme, plan: Pick<AddressPlan, 'publicHttpPort' | 'publicHttpsPort'>): number {
  if (scheme === 'tcp') return 0;
  return scheme === 'http' ? plan.publicHttpPort : plan.publicHttpsPort;
}

/**
 * Reads `scheme://host[:port]` and nothing more (api.md §4: no path, no trailing slash). Deliberately not WHATWG
 * parsing, which would repair what has to be refused. `assumed` is the scheme of a text that has none.
 */
export function parseEndpointUrl(text: string, assumed?: Scheme): Result<UrlParts> {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text);
  let scheme = match?.[1]?.toLowerCase();
  const rest = match === null ? text : (match[2] ?? '');
  if (scheme === undefined) {
    if (assumed === undefined) return refused({ kind: 'scheme', scheme: '' });
    scheme = assumed;
  }
  if (!isScheme(scheme)) return refused({ kind: 'scheme', scheme });
  const odd = /[\s\p{Cc}\\]/u.exec(rest)?.[0];
  if (odd !== undefined) {
    return refused({
      kind: 'malformed',
      reason: 'it has white space, a backslash or a control character',
      character: odd,
    });
  }
  const tailAt = rest.search(/[/?#]/);
  const authority = tailAt < 0 ? rest : rest.slice(0, tailAt);
  if (tailAt >= 0) {
    const tail = rest.slice(tailAt);
    if (tail === '/') return refused({ kind: 'trailing-slash' });
    const part = tail.startsWith('/') ? 'path' : tail.startsWith('?') ? 'query' : 'fragment';
    return refused({ kind: 'part', part });
  }
  if (authority.includes('@')) return refused({ kind: 'part', part: 'user' });
  if (/[[\]]/.test(authority)) return refused({ kind: 'malformed', reason: 'an IPv6 address cannot be an endpoint' });
  const colon = authority.indexOf(':');
  if (colon < 0) return { ok: true, value: { scheme, host: authority.toLowerCase(), port: 0 } };
  const port = parsePort(authority.slice(colon + 1));
  if (port === null) return refused({ kind: 'port-syntax', port: authority.slice(colon + 1) });
  return { ok: true, value: { scheme, host: authority.slice(0, colon).toLowerCase(), port } };
}

/** 1 to 65535 in plain decimal, else null. */
export function parsePort(text: string): number | null {
  if (!/^[1-9]\d{0,4}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

/**
 * Decides whether these parts may be an endpoint under this binding, and what its address is then (api.md §4, URL
 * rules by binding; agent-and-ux.md §3.2). Reservations and conflicts are decided later, in the claim.
 */
export function placeUrl(parts: UrlParts, binding: Binding, plan: AddressPlan): Result<Address> {
  const bad = binding === 'public' && parts.scheme === 'tcp' ? null : hostProblem(parts.host, plan.baseDomains);
  if (bad !== null && !(binding === 'kubernetes' && bad.kind === 'not-qualified')) {
    return refused({ kind: 'host', problem: bad, host: parts.host });
  }
  const port = parts.port === 0 ? defaultPort(parts.scheme) : parts.port;
  const problem =
    binding === 'public'
      ? publicProblem(parts, plan)
      : binding === 'internal'
        ? internalProblem(parts)
        : kubernetesProblem(parts);
  if (problem !== null) return refused(problem);
  if (port === 0) return refused({ kind: 'port-missing' });
  return { ok: true, value: addressOf(parts.scheme, binding, parts.host, port) };
}

/** An address whose parts are known to be good. */
export function addressOf(scheme: Scheme, binding: Binding, host: string, port: number): Address {
  return { scheme, binding, host, port, url: formatUrl(scheme, host, port) };
}

/** The one spelling of what this URL means, or null when it is no endpoint's. */
export function canonicalUrl(text: string): string | null {
  const parsed = parseEndpointUrl(text);
  if (!parsed.ok) return null;
  const { scheme, host, port } = parsed.value;
  return formatUrl(scheme, host, port === 0 ? defaultPort(scheme) : port);
}

/** The scheme's default port is left out. */
export function formatUrl(scheme: Scheme, host: string, port: number): string {
  return port === defaultPort(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/**
 * The URL of a cloud endpoint as its answers repeat it: as the client wrote it, because Terraform and the operator compare
 * the two. Normalised is what Terraform's provider does not tell apart either: the scheme's case, and the default port of
 * http and https. The case of the host and `:443` of a tls URL stay. `text` is one that {@link parseEndpointUrl} took.
 */
export function writtenUrl(text: string): string {
  const at = text.indexOf('://');
  const scheme = text.slice(0, at).toLowerCase();
  const standard = scheme === 'https' ? ':443' : scheme === 'http' ? ':80' : '';
  const rest = text.slice(at + '://'.length);
  return `${scheme}://${standard !== '' && rest.endsWith(standard) ? rest.slice(0, -standard.length) : rest}`;
}

/** What a visitor can open, and the port and host:port of it (docs/design.md §1, URLs and ports). */
export function visitorView(
  address: Pick<Address, 'scheme' | 'binding' | 'host' | 'port'>,
  plan: Pick<AddressPlan, 'publicHttpPort' | 'publicHttpsPort'>,
): { readonly publicUrl: string; readonly port: number; readonly hostport: string } {
  const { scheme, binding, host } = address;
  const port = binding === 'public' && scheme !== 'tcp' ? publicPort(scheme, plan) : address.port;
  return { publicUrl: formatUrl(scheme, host, port), port, hostport: `${host}:${port}` };
}

/** The binding of an endpoint that names none. */
export function inferBinding(host: string): Binding {
  return isInternalHost(host) || host === 'internal' ? 'internal' : 'public';
}

function publicProblem(parts: UrlParts, plan: AddressPlan): AddressProblem | null {
  const { scheme, host, port } = parts;
  if (scheme === 'tcp') {
    if (host !== plan.tcpHost) return { kind: 'foreign-tcp-host', tcpHost: plan.tcpHost };
    if (port === 0) return { kind: 'port-missing' };
    const { first, last } = plan.tcpPortRange;
    if (port < first || port > last) {
      return { kind: 'port-not-allowed', port, scheme, allowed: `a port from ${first} to ${last}` };
    }
    return null;
  }
  if (isInternalHost(host)) return { kind: 'internal-as-public' };
  if (plan.ownNames.includes(host)) return { kind: 'own-name', host };
  const standard = defaultPort(scheme);
  const open = publicPort(scheme, plan);
  if (port !== 0 && port !== standard && port !== open) {
    const allowed = standard === open ? String(open) : `${open} (or ${standard}, which means the same here)`;
    return { kind: 'port-not-allowed', port, scheme, allowed };
  }
  return null;
}

function internalProblem({ host }: UrlParts): AddressProblem | null {
  if (!isInternalHost(host)) return { kind: 'not-internal' };
  const depth = host.split('.').length - 1;
  return depth > 5 ? { kind: 'internal-depth', depth } : null;
}

function kubernetesProblem({ scheme, host }: UrlParts): AddressProblem | null {
  if (scheme === 'https') return { kind: 'kubernetes-scheme', scheme };
  return host.split('.').length !== 2 || isWildcard(host) ? { kind: 'kubernetes-host' } : null;
}

function refused<T>(problem: AddressProblem): Result<T> {
  return { ok: false, problem };
}
