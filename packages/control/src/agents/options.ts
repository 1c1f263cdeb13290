import type { Binding, Scheme, TlsMode } from '@postern/link';
import { fail, isPosternError } from '@postern/errors';
import { belongTogether, certificateProblem, literal, privateKeyProblem, readCertificates } from '@postern/policy';
import type { BindOptions, BindRequest, HeaderEdits } from '@postern/protocol';
import { loginActions } from './login-options.ts';
import type { PolicyAction, PolicyRules, PolicyRuleSet } from '../config.ts';
import { ruleOf } from '../policy-rules.ts';

/** What the options of a bind come to. */
export interface ReadOptions {
  /** The agent's own policy, as text; '' = none. What the API shows. */
  readonly trafficPolicy: string;
  /** The same with the rules that its other options mean in front. What the edge runs. */
  readonly effectivePolicy: string;
  /** Those rules: a later patch of the policy is merged with them again. */
  readonly optionRules: PolicyRuleSet;
  /** Visitors speak WebSocket, and the service gets the bytes of their messages. */
  readonly websocketTcp: boolean;
  readonly tls: TlsMode;
}

export interface PolicyPlace {
  readonly scheme: Scheme;
  readonly binding: Binding;
}

const HEADERS_PER_ACTION = 10;

export const NO_RULES: PolicyRuleSet = { on_tcp_connect: [], on_http_request: [], on_http_response: [] };

/**
 * Turns the legacy options into policy rules (agent-protocol.md §5.3; docs/design.md §4). Two need none: HostHeaderRewrite, since
 * the agent rewrites the header itself and only reports it, and WebsocketTCPConverter, which says how the service is spoken to.
 * @throws 301, 341, 359, 360, 9025, 9026
 */
export function readOptions(rules: PolicyRules, request: BindRequest, place: PolicyPlace): ReadOptions {
  const { opts } = request;
  const optionRules = rulesOf(request, place);
  checkOptions(rules, optionRules, request, place);
  const trafficPolicy = policyText(opts);
  const effectivePolicy = mergePolicy(rules, trafficPolicy, optionRules, place);
  const websocketTcp = opts.websocketTcpConverter === true && (place.scheme === 'http' || place.scheme === 'https');
  return { trafficPolicy, effectivePolicy, optionRules, websocketTcp, tls: tlsOf(opts, place) };
}

/** What the edge runs for the agent's policy `text` behind these rules. @throws 9026 */
export function mergePolicy(rules: PolicyRules, text: string, own: PolicyRuleSet, place: PolicyPlace): string {
  if (text !== '') checkPolicy(rules, text, place);
  if (isEmpty(own)) return text;
  const merged = rules.withRules(text, own, place.scheme);
  checkPolicy(rules, merged, place);
  return merged;
}

/** What an option asks for is judged by itself: nobody wrote the policy that it is merged into. @throws 341, 9026 */
function checkOptions(
  rules: PolicyRules,
  own: PolicyRuleSet,
  { ipPolicyRef: id }: BindRequest,
  { scheme, binding }: PolicyPlace,
): void {
  for (const phase of ['on_tcp_connect', 'on_http_request', 'on_http_response'] as const) {
    for (const action of own[phase]) {
      const text = JSON.stringify({ [phase]: [ruleOf(action)] });
      try {
        rules.check(text, { protocol: scheme, binding, kind: 'agent' });
      } catch (error) {
        if (!isPosternError(error)) throw error;
        if (error.number === 2216) throw fail(341, { id }, { cause: error });
        const reason = inOption(optionOf(action.type, phase), error.message);
        throw fail(9026, { reason: `${reason} (${error.code})` }, { cause: error });
      }
    }
  }
}

function optionOf(action: string, phase: keyof PolicyRuleSet): string {
  switch (action) {
    case 'restrict-ips':
      return 'IPRestriction';
    case 'terminate-tls':
      return 'MutualTLSCA';
    case 'basic-auth':
      return 'BasicAuth';
    case 'compress-response':
      return 'Compression';
    case 'circuit-breaker':
      return 'CircuitBreaker';
    case 'oauth':
      return 'OAuth';
    case 'openid-connect':
      return 'OIDC';
    case 'verify-webhook':
      return 'WebhookVerification';
    case 'custom-response':
      return 'UserAgentFilter';
    default:
      return phase === 'on_http_response' ? 'ResponseHeaders' : 'RequestHeaders';
  }
}

/** `on_http_request[0].actions[0].config.allow[1]: …` → `the option IPRestriction.allow[1]: …` */
function inOption(option: string, message: string): string {
  const colon = message.indexOf(': ');
  const config = message.indexOf('.config');
  const field = config === -1 || config > colon ? '' : message.slice(config + '.config'.length, colon);
  return `the option ${option}${field}: ${colon === -1 ? message : message.slice(colon + 2)}`;
}

function checkPolicy(rules: PolicyRules, text: string, { scheme, binding }: PolicyPlace): void {
  try {
    rules.check(text, { protocol: scheme, binding, kind: 'agent' });
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw fail(9026, { reason: `${error.message} (${error.code})` }, { cause: error });
  }
}

function policyText({ trafficPolicy, policy }: BindOptions): string {
  const given = [asText(trafficPolicy), asText(policy)].filter((text) => text !== '');
  if (given.length > 1) throw fail(9025, { fields: 'TrafficPolicy, Policy' });
  return given[0] ?? '';
}

function asText(policy: BindOptions['policy']): string {
  if (policy === undefined) return '';
  return typeof policy === 'string' ? policy.trim() && policy : JSON.stringify(policy);
}

function rulesOf({ opts, ipPolicyRef }: BindRequest, place: PolicyPlace): PolicyRuleSet {
  const connect: PolicyAction[] = [];
  const request: PolicyAction[] = [];
  const response: PolicyAction[] = [];
  const http = place.scheme === 'http' || place.scheme === 'https';
  // On HTTP the visitor gets a page that says why; elsewhere the connection just ends.
  const addresses = http ? request : connect;
  if (ipPolicyRef !== '') addresses.push({ type: 'restrict-ips', config: { ip_policies: [ipPolicyRef] } });
  if (opts.ipRestriction !== undefined) {
    const { allow, deny } = opts.ipRestriction;
    addresses.push({ type: 'restrict-ips', config: { allow, deny } });
  }
  if (opts.mutualTlsCa !== undefined) connect.push(terminateTls(opts, opts.mutualTlsCa, place));
  if (!http) return { on_tcp_connect: connect, on_http_request: [], on_http_response: [] };

  if (opts.circuitBreaker !== undefined) {
    request.push({ type: 'circuit-breaker', config: { error_threshold: opts.circuitBreaker.errorThreshold } });
  }
  if (opts.userAgentFilter !== undefined) request.push(userAgentFilter(opts.userAgentFilter));
  const credentials = basicAuthCredentials(opts);
  if (credentials.length > 0) request.push({ type: 'basic-auth', config: { credentials } });
  request.push(...loginActions(opts));
  if (opts.webhookVerification !== undefined) {
    const { provider, secret } = opts.webhookVerification;
    request.push({ type: 'verify-webhook', config: { provider, secret: literal(secret) } });
  }
  request.push(...headerActions(opts.requestHeaders));
  response.push(...headerActions(opts.responseHeaders));
  if (opts.compression === true) response.push({ type: 'compress-response', config: {} });
  return { on_tcp_connect: connect, on_http_request: request, on_http_response: response };
}

/**
 * Who matches `allow` comes in; so does who has a user agent that does not match `deny`. A request without one has to
 * match `allow`.
 */
function userAgentFilter({ allow, deny }: NonNullable<BindOptions['userAgentFilter']>): PolicyAction {
  const any = (patterns: readonly string[]): string =>
    ['false', ...patterns.map((pattern) => `req.user_agent.matches(${JSON.stringify(pattern)})`)].join(' || ');
  const refused = fail(3211);
  return {
    type: 'custom-response',
    expressions: [`!(${any(allow)})`, `req.user_agent == '' || ${any(deny)}`],
    config: {
      status_code: refused.status,
      headers: { 'ngrok-error-code': refused.code, 'content-type': 'text/plain; charset=utf-8' },
      body: literal(`${refused.message} (${refused.code})\n`),
    },
  };
}

function terminateTls(opts: BindOptions, bundle: string, { scheme, binding }: PolicyPlace): PolicyAction {
  const usable = (scheme === 'https' || scheme === 'tls') && !(scheme === 'https' && binding === 'internal');
  if (!usable) throw fail(301, { reason: `MutualTLSCA needs a public https or a tls endpoint, not ${scheme}` });
  const authorities = readCertificates(bundle);
  if (typeof authorities === 'string') throw fail(301, { reason: `MutualTLSCA cannot be used: ${authorities}` });
  const { cert = '', key = '' } = opts.tlsTermination ?? {};
  const own = cert === '' ? {} : { server_certificate: cert, server_private_key: key };
  return {
    type: 'terminate-tls',
    config: { mutual_tls_certificate_authorities: [authorities.map((one) => one.toString()).join('')], ...own },
  };
}

function basicAuthCredentials({ basicAuth = [], auth = '' }: BindOptions): string[] {
  const colon = auth.indexOf(':');
  const legacy =
    auth === ''
      ? []
      : [{ username: auth.slice(0, Math.max(colon, 0)), password: auth.slice(colon + 1), passwordHash: '' }];
  return [...basicAuth, ...legacy].map(({ username, password, passwordHash }) => {
    if (username === '') throw fail(359);
    if (password === '' && passwordHash !== '') return literal(`${username}:{bcrypt}${passwordHash}`);
    const length = password.length;
    if (length < 8 || length > 128) throw fail(360, { length });
    return literal(`${username}:${password}`);
  });
}

/** Removals first, so that remove and add of one name replace it. A name added twice needs two actions. */
function headerActions(edits: HeaderEdits | undefined): PolicyAction[] {
  if (edits === undefined) return [];
  const actions: PolicyAction[] = [];
  for (let at = 0; at < edits.remove.length; at += HEADERS_PER_ACTION) {
    actions.push({ type: 'remove-headers', config: { headers: edits.remove.slice(at, at + HEADERS_PER_ACTION) } });
  }
  let headers: Record<string, string> = {};
  const flush = () => {
    if (Object.keys(headers).length > 0) actions.push({ type: 'add-headers', config: { headers } });
    headers = {};
  };
  for (const [name, value] of edits.add) {
    const lower = name.toLowerCase();
    if (Object.hasOwn(headers, lower) || Object.keys(headers).length === HEADERS_PER_ACTION) flush();
    headers[lower] = value;
  }
  flush();
  return actions;
}

function tlsOf(opts: BindOptions, { scheme }: PolicyPlace): TlsMode {
  if (scheme !== 'tls') return { at: 'edge', cert: null, key: null };
  if (opts.tlsTermination === undefined) {
    return opts.mutualTlsCa === undefined ? { at: 'agent' } : { at: 'edge', cert: null, key: null };
  }
  const { cert, key } = opts.tlsTermination;
  if (cert === '' && key === '') return { at: 'edge', cert: null, key: null };
  if (cert === '' || key === '') {
    throw fail(301, { reason: 'TLSTermination needs a certificate and its key, or neither of them' });
  }
  const problem = certificateProblem(cert) ?? privateKeyProblem(key);
  if (problem !== null) throw fail(301, { reason: `TLSTermination cannot be used: ${problem}` });
  if (!belongTogether(cert, key)) {
    throw fail(301, { reason: 'TLSTermination cannot be used: the key is not the key of the certificate' });
  }
  return { at: 'edge', cert, key };
}

function isEmpty(rules: PolicyRuleSet): boolean {
  return rules.on_tcp_connect.length + rules.on_http_request.length + rules.on_http_response.length === 0;
}
