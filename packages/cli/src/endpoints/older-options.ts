/**
 * Options of earlier agents, as rules: one place for flags, for tunnels of configuration files, and for the local API.
 * `mergePolicies` of the policy package puts the rules around the user's own policy.
 */
import type { PolicySource, RuleSource } from '@postern/policy';
import type { Proto } from '../proto.ts';
import { UsageError } from '../usage-error.ts';

export interface OlderOptions {
  /** `user:password` */
  readonly basicAuth?: readonly string[];
  /** `rewrite`, `preserve` or the name itself */
  readonly hostHeader?: string;
  readonly cidrAllow?: readonly string[];
  readonly cidrDeny?: readonly string[];
  readonly requestHeaders?: HeaderEdits;
  readonly responseHeaders?: HeaderEdits;
  readonly compression?: boolean;
  /** Share of requests that fail, 0 to 1. */
  readonly circuitBreaker?: number;
  /** Regular expressions (RE2) over the user agent. */
  readonly userAgentAllow?: readonly string[];
  readonly userAgentDeny?: readonly string[];
  readonly webhookProvider?: string;
  readonly webhookSecret?: string;
  readonly oauth?: Login;
  readonly oidc?: Login;
  /** PEM */
  readonly mutualTlsCas?: string;
  /** No rule: the agent asks for it by an option of its own. */
  readonly websocketTcpConverter?: boolean;
}

export interface HeaderEdits {
  /** `name: value` */
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export interface Login {
  /** Of oauth the provider's name, of openid-connect the issuer's URL. */
  readonly provider?: string;
  readonly allowDomains?: readonly string[];
  readonly allowEmails?: readonly string[];
  readonly scopes?: readonly string[];
  readonly clientId?: string;
  readonly clientSecret?: string;
}

type Action = RuleSource['actions'][number];

/** An action takes ten headers. */
const HEADERS_PER_ACTION = 10;

/**
 * @param upstreamHost what `rewrite` makes of the Host header: host, with the port where it is not the scheme's own
 * @throws UsageError that names the option
 */
export function rulesOf(proto: Proto, older: OlderOptions, upstreamHost: string): PolicySource {
  const web = proto === 'http';
  const connect: Action[] = [];
  const { cidrAllow: allow, cidrDeny: deny } = older;
  const ips: Action[] =
    allow === undefined && deny === undefined
      ? []
      : [{ type: 'restrict-ips', config: { ...(allow && { allow }), ...(deny && { deny }) } }];
  if (!web) connect.push(...ips);
  if (older.mutualTlsCas !== undefined) {
    const config = { mutual_tls_certificate_authorities: [older.mutualTlsCas] };
    connect.push({ type: 'terminate-tls', config });
  }
  if (!web) return { on_tcp_connect: oneEach(connect) };
  return {
    on_tcp_connect: oneEach(connect),
    on_http_request: [
      ...oneEach(ips),
      ...userAgents(older),
      ...oneEach([...breaker(older), ...basicAuth(older)]),
      ...login('oauth', older.oauth),
      ...login('openid-connect', older.oidc),
      ...oneEach([...webhook(older), ...edits(older.requestHeaders), ...host(older.hostHeader, upstreamHost)]),
    ],
    on_http_response: oneEach([
      ...edits(older.responseHeaders),
      ...(older.compression === true ? [{ type: 'compress-response', config: {} }] : []),
    ]),
  };
}

function oneEach(actions: readonly Action[]): RuleSource[] {
  return actions.map((action) => ({ actions: [action] }));
}

/** Text that shall mean itself: a password may well contain `${`. */
const literal = (text: string): string => text.replaceAll('${', () => '$${');

function basicAuth({ basicAuth: credentials = [] }: OlderOptions): Action[] {
  return credentials.length === 0 ? [] : [{ type: 'basic-auth', config: { credentials: credentials.map(literal) } }];
}

function breaker({ circuitBreaker: ratio }: OlderOptions): Action[] {
  return ratio === undefined ? [] : [{ type: 'circuit-breaker', config: { error_threshold: ratio } }];
}

function webhook({ webhookProvider: provider, webhookSecret: secret }: OlderOptions): Action[] {
  if (provider === undefined && secret === undefined) return [];
  if (provider === undefined || secret === undefined) {
    throw new UsageError('--verify-webhook and --verify-webhook-secret belong together; give both.');
  }
  return [{ type: 'verify-webhook', config: { provider, secret: literal(secret) } }];
}

/** Who is on the list of those allowed comes in; else who is not on the other, if there is one. */
function userAgents({ userAgentAllow: allow = [], userAgentDeny: deny = [] }: OlderOptions): RuleSource[] {
  if (allow.length + deny.length === 0) return [];
  const any = (patterns: readonly string[]): string =>
    patterns.map((pattern) => `req.user_agent.matches(${JSON.stringify(pattern)})`).join(' || ');
  const expressions = [...(allow.length === 0 ? [] : [`!(${any(allow)})`]), ...(deny.length === 0 ? [] : [any(deny)])];
  return [{ expressions, actions: [{ type: 'deny', config: { status_code: 403 } }] }];
}

function login(type: 'oauth' | 'openid-connect', options: Login | undefined): RuleSource[] {
  if (options === undefined) return [];
  const { provider, allowDomains = [], allowEmails = [], scopes, clientId, clientSecret } = options;
  if (provider === undefined) {
    throw new UsageError(`--${type === 'oauth' ? 'oauth' : 'oidc'} is needed beside the options that begin with it.`);
  }
  const config = {
    [type === 'oauth' ? 'provider' : 'issuer_url']: provider,
    ...(clientId === undefined ? {} : { client_id: literal(clientId) }),
    ...(clientSecret === undefined ? {} : { client_secret: literal(clientSecret) }),
    ...(scopes === undefined ? {} : { scopes }),
  };
  const email = `actions.ngrok.${type === 'oauth' ? 'oauth' : 'oidc'}.identity.email`;
  const allowed = [
    ...allowDomains.map((domain) => `${email}.endsWith(${JSON.stringify(`@${domain}`)})`),
    ...allowEmails.map((one) => `${email} == ${JSON.stringify(one)}`),
  ];
  const rules: RuleSource[] = [{ actions: [{ type, config }] }];
  if (allowed.length > 0) {
    const deny = { type: 'deny', config: { status_code: 403 } };
    rules.push({ expressions: [`!(${allowed.join(' || ')})`], actions: [deny] });
  }
  return rules;
}

/** Removals first, so that remove and add of one name replace it. A name added twice needs two actions. */
function edits({ add = [], remove = [] }: HeaderEdits = {}): Action[] {
  const actions: Action[] = [];
  for (let at = 0; at < remove.length; at += HEADERS_PER_ACTION) {
    actions.push({ type: 'remove-headers', config: { headers: remove.slice(at, at + HEADERS_PER_ACTION) } });
  }
  let headers: Record<string, string> = {};
  const flush = (): void => {
    if (Object.keys(headers).length > 0) actions.push({ type: 'add-headers', config: { headers } });
    headers = {};
  };
  for (const line of add) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new UsageError(`A header is written "name: value", not "${line}".`);
    const name = line.slice(0, colon).trim().toLowerCase();
    if (Object.hasOwn(headers, name) || Object.keys(headers).length === HEADERS_PER_ACTION) flush();
    headers[name] = line.slice(colon + 1).trim();
  }
  flush();
  return actions;
}

function host(wanted: string | undefined, upstreamHost: string): Action[] {
  if (wanted === undefined || wanted === '' || wanted === 'preserve') return [];
  const value = wanted === 'rewrite' ? upstreamHost : literal(wanted);
  return [{ type: 'add-headers', config: { headers: { host: value } } }];
}
