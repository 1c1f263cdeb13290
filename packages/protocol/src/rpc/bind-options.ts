import { isJsonObject, type Fields } from './fields.ts';
import { decodePolicyObject } from './policy-object.ts';
import type { BindOptions, HeaderEdits, LoginOptions } from './types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Opts of a Bind with one spelling; absent, null and zero values are left out (agent-protocol.md §5.3). */
export function decodeBindOptions(opts: Fields): BindOptions {
  const decoded: Mutable<BindOptions> = { proxyProto: proxyProto(opts) };
  address(opts, decoded);
  http(opts, decoded);
  security(opts, decoded);
  policies(opts, decoded);
  return decoded;
}

function proxyProto(opts: Fields): 0 | 1 | 2 {
  const version = opts.number('ProxyProto');
  if (version !== 0 && version !== 1 && version !== 2) throw opts.fieldError('ProxyProto', 'must be 0, 1 or 2');
  return version;
}

function address(opts: Fields, decoded: Mutable<BindOptions>): void {
  const url = opts.string('URL');
  const domain = opts.string('Domain');
  const hostname = opts.string('Hostname');
  const subdomain = opts.string('Subdomain');
  const addr = opts.string('Addr');
  if (url !== '') decoded.url = url;
  if (domain !== '') decoded.domain = domain;
  if (hostname !== '') decoded.hostname = hostname;
  if (subdomain !== '') decoded.subdomain = subdomain;
  if (addr !== '') decoded.addr = addr;
}

function http(opts: Fields, decoded: Mutable<BindOptions>): void {
  const auth = opts.string('Auth');
  if (auth !== '') decoded.auth = auth;
  if (opts.boolean('HostHeaderRewrite')) decoded.hostHeaderRewrite = true;
  if (opts.object('Compression') !== undefined) decoded.compression = true;
  if (opts.object('WebsocketTCPConverter') !== undefined) decoded.websocketTcpConverter = true;
  const breaker = opts.object('CircuitBreaker');
  if (breaker !== undefined) decoded.circuitBreaker = { errorThreshold: breaker.number('error_threshold') };
  const agents = opts.object('UserAgentFilter');
  if (agents !== undefined) decoded.userAgentFilter = { allow: agents.strings('allow'), deny: agents.strings('deny') };
  const request = headerEdits(opts.object('RequestHeaders'));
  const response = headerEdits(opts.object('ResponseHeaders'));
  if (request !== undefined) decoded.requestHeaders = request;
  if (response !== undefined) decoded.responseHeaders = response;
}

function security(opts: Fields, decoded: Mutable<BindOptions>): void {
  const basic = opts.object('BasicAuth');
  if (basic !== undefined) {
    decoded.basicAuth = basic.objects('credentials').map((entry) => ({
      username: entry.string('username'),
      password: entry.string('cleartext_password'),
      passwordHash: entry.base64('hashed_password'),
    }));
  }
  const oauth = opts.object('OAuth');
  const oidc = opts.object('OIDC');
  if (oauth !== undefined) decoded.oauth = { provider: oauth.string('provider'), ...login(oauth) };
  if (oidc !== undefined) decoded.oidc = { issuerUrl: oidc.string('issuer_url'), ...login(oidc) };
  const webhook = opts.object('WebhookVerification');
  if (webhook !== undefined) {
    refuseSealed(webhook, 'sealed_secret');
    decoded.webhookVerification = { provider: webhook.string('provider'), secret: webhook.string('secret') };
  }
  const mutual = opts.object('MutualTLSCA') ?? opts.object('MutualTLSAtEdge');
  const ca = mutual?.base64('mutual_tls_ca') ?? '';
  if (ca !== '') decoded.mutualTlsCa = ca;
  if (opts.boolean('MutualTLSAtAgent')) decoded.mutualTlsAtAgent = true;
  const termination = opts.object('TLSTermination');
  if (termination !== undefined) {
    refuseSealed(termination, 'sealed_key');
    decoded.tlsTermination = { cert: termination.base64('cert'), key: termination.base64('key') };
  }
  const ips = opts.object('IPRestriction');
  if (ips !== undefined) {
    decoded.ipRestriction = { allow: ips.strings('allow_cidrs'), deny: ips.strings('deny_cidrs') };
  }
}

/** What is not given is left out. */
function login(fields: Fields): LoginOptions {
  refuseSealed(fields, 'sealed_client_secret');
  const decoded: Mutable<LoginOptions> = {};
  const clientId = fields.string('client_id');
  const clientSecret = fields.string('client_secret');
  const [emails, domains, scopes] = [
    fields.strings('allow_emails'),
    fields.strings('allow_domains'),
    fields.strings('scopes'),
  ];
  if (clientId !== '') decoded.clientId = clientId;
  if (clientSecret !== '') decoded.clientSecret = clientSecret;
  if (emails.length > 0) decoded.allowEmails = emails;
  if (domains.length > 0) decoded.allowDomains = domains;
  if (scopes.length > 0) decoded.scopes = scopes;
  return decoded;
}

function policies(opts: Fields, decoded: Mutable<BindOptions>): void {
  const traffic = opts.raw('TrafficPolicy');
  if (isJsonObject(traffic)) decoded.trafficPolicy = traffic;
  else if (opts.string('TrafficPolicy') !== '') decoded.trafficPolicy = opts.string('TrafficPolicy');
  const policy = opts.raw('Policy');
  if (isJsonObject(policy)) decoded.policy = decodePolicyObject(policy);
  else if (opts.string('Policy') !== '') decoded.policy = opts.string('Policy');
}

/** "name:value" strings; the parsed form counts only where they are missing. */
function headerEdits(fields: Fields | undefined): HeaderEdits | undefined {
  if (fields === undefined) return undefined;
  const add = fields.strings('add').map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    if (colon < 1) throw fields.fieldError('add', `must have entries of the form name:value, not "${line}"`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const parsed = add.length > 0 ? [] : Object.entries(fields.stringMap('addParsed'));
  return { add: [...add, ...parsed], remove: fields.strings('remove') };
}

/** Sealed secrets can be opened by one service only, which is not this one. */
function refuseSealed(fields: Fields, name: string): void {
  if (fields.string(name) !== '')
    throw fields.fieldError(name, 'cannot be opened by this server; send it in the clear');
}
