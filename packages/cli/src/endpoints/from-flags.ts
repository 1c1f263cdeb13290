import { defined } from '../defined.ts';
import { listOf, switchOf, textOf, type FlagValues } from '../flags/flag.ts';
import { IDLE_AGENT_FLAGS } from '../flags/agent-flags.ts';
import { OLDER_FLAGS } from '../flags/older-flags.ts';
import type { Proto } from '../proto.ts';
import type { EndpointOptions } from '../share-options.ts';
import { UsageError } from '../usage-error.ts';
import type { Login, OlderOptions } from './older-options.ts';

/** What endpoints are called that nobody gave a name (agent-and-ux.md §2.2). */
export const DEFAULT_NAME = 'command_line';

/** What was typed behind `postern http|tcp|tls`, older spellings read as today's. @throws UsageError */
export function endpointOptions(proto: Proto, flags: FlagValues): EndpointOptions {
  const text = (name: string): string | undefined => textOf(flags, name);
  const protocol = oneOf(text('upstream-protocol') ?? text('app-protocol'), ['http1', 'http2'] as const);
  const proxy = oneOf(text('upstream-proxy-protocol') ?? text('proxy-proto'), ['1', '2'] as const);
  const older = olderOptions(proto, flags);
  return defined({
    ...addressOf(proto, flags),
    name: text('name') ?? DEFAULT_NAME,
    description: text('description'),
    metadata: text('metadata'),
    binding: text('binding'),
    poolingEnabled: switchOf(flags, 'pooling-enabled'),
    trafficPolicyFile: text('traffic-policy-file') ?? text('policy-file'),
    trafficPolicyUrl: text('traffic-policy-url'),
    inspect: switchOf(flags, 'inspect'),
    qr: switchOf(flags, 'qr'),
    upstreamProtocol: protocol,
    upstreamProxyProtocol: proxy,
    upstreamTlsVerify: switchOf(flags, 'upstream-tls-verify') ?? switchOf(flags, 'verify-upstream-tls'),
    upstreamTlsVerifyCas: text('upstream-tls-verify-cas') ?? text('verify-upstream-tls-cas'),
    crt: text('crt'),
    key: text('key'),
    // Of http it is an older spelling of a rule, and the same file.
    mutualTlsCas: text('mutual-tls-cas'),
    terminateAt: oneOf(text('terminate-at'), ['edge', 'agent', 'upstream'] as const),
    older: Object.keys(older).length === 0 ? undefined : older,
  });
}

/** One line for each older spelling that was typed: what to type today. */
export function olderSpellings(proto: Proto, flags: FlagValues): readonly string[] {
  return [...OLDER_FLAGS, ...IDLE_AGENT_FLAGS]
    .filter(
      ({ name, protos }) =>
        (protos?.includes(proto) ?? true) &&
        (textOf(flags, name) ?? listOf(flags, name) ?? switchOf(flags, name)) !== undefined,
    )
    .map(({ name, today }) => {
      const given = textOf(flags, name) ?? listOf(flags, name)?.[0] ?? '';
      return `--${name} is an older spelling; today: ${today.replace('VALUE', () => given)}`;
    });
}

type Address = Pick<EndpointOptions, 'url' | 'subdomain' | 'schemes'>;

function addressOf(proto: Proto, flags: FlagValues): Address {
  const url = textOf(flags, 'url');
  const name = textOf(flags, 'domain') ?? textOf(flags, 'hostname');
  const subdomain = textOf(flags, 'subdomain');
  const remote = textOf(flags, 'remote-addr');
  const given = [url, name, subdomain, remote].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError(`One address is enough: ${given.join(', ')}. Say it with --url.`);
  const schemes = proto === 'http' ? schemesOf(flags) : undefined;
  return defined({
    url: url ?? remoteUrl(remote) ?? withScheme(name, schemes),
    subdomain,
    schemes,
  });
}

/** `--remote-addr` may be a port alone. */
function remoteUrl(remote: string | undefined): string | undefined {
  if (remote === undefined) return undefined;
  return /^\d+$/.test(remote) ? `tcp://localhost:${remote}` : `tcp://${remote}`;
}

function withScheme(name: string | undefined, schemes: Address['schemes']): string | undefined {
  return name === undefined || schemes?.length !== 1 ? name : `${schemes[0]}://${name}`;
}

function schemesOf(flags: FlagValues): Address['schemes'] {
  const bindTls = textOf(flags, 'bind-tls');
  const given = listOf(flags, 'scheme');
  if (given !== undefined) {
    return [...new Set(given)].map((scheme) => {
      if (scheme === 'http' || scheme === 'https') return scheme;
      throw new UsageError(`--scheme ${scheme}: a scheme is http or https.`);
    });
  }
  return bindTls === undefined ? undefined : bindTlsSchemes(bindTls);
}

/** `bind_tls` of agents before version 3. */
export function bindTlsSchemes(text: string): NonNullable<Address['schemes']> {
  if (text === 'both') return ['https', 'http'];
  if (text === 'true' || text === 'false') return text === 'true' ? ['https'] : ['http'];
  throw new UsageError(`bind-tls ${text}: it is true, false or both.`);
}

function olderOptions(proto: Proto, flags: FlagValues): OlderOptions {
  const text = (name: string): string | undefined => textOf(flags, name);
  const list = (name: string): readonly string[] | undefined => listOf(flags, name);
  const credentials = [...(list('basic-auth') ?? []), ...(list('auth') ?? [])];
  return defined({
    basicAuth: credentials.length === 0 ? undefined : credentials,
    hostHeader: text('host-header'),
    cidrAllow: list('cidr-allow'),
    cidrDeny: list('cidr-deny'),
    requestHeaders: headersOf(list('request-header-add'), list('request-header-remove')),
    responseHeaders: headersOf(list('response-header-add'), list('response-header-remove')),
    compression: proto === 'http' ? switchOf(flags, 'compression') : undefined,
    circuitBreaker: ratioOf(text('circuit-breaker')),
    userAgentAllow: list('ua-filter-allow'),
    userAgentDeny: list('ua-filter-deny'),
    webhookProvider: text('verify-webhook'),
    webhookSecret: text('verify-webhook-secret'),
    oauth: loginOf('oauth', flags),
    oidc: loginOf('oidc', flags),
    websocketTcpConverter: switchOf(flags, 'websocket-tcp-converter'),
  });
}

function headersOf(
  add: readonly string[] | undefined,
  remove: readonly string[] | undefined,
): OlderOptions['requestHeaders'] {
  return add === undefined && remove === undefined ? undefined : defined({ add, remove });
}

function loginOf(name: string, flags: FlagValues): Login | undefined {
  const login: Login = defined({
    provider: textOf(flags, name),
    allowDomains: listOf(flags, `${name}-allow-domain`),
    allowEmails: listOf(flags, `${name}-allow-email`),
    scopes: listOf(flags, `${name}-scope`),
    clientId: textOf(flags, `${name}-client-id`),
    clientSecret: textOf(flags, `${name}-client-secret`),
  });
  return Object.keys(login).length === 0 ? undefined : login;
}

function ratioOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ratio = Number(text);
  if (text.trim() === '' || !(ratio >= 0 && ratio <= 1)) {
    throw new UsageError(`--circuit-breaker ${text}: it is a share of requests, 0 to 1.`);
  }
  return ratio;
}

function oneOf<T extends string>(text: string | undefined, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === text);
}
