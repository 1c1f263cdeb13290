/**
 * Flags of earlier agents (agent-and-ux.md §1.2, §7): taken, and answered with today's spelling. What they mean is in
 * endpoints/older-options.ts.
 */
import type { Flag } from './flag.ts';

export interface OlderFlag extends Flag {
  /** What to type today; VALUE is what was given. */
  readonly today: string;
}

const action = (name: string): string => `the action ${name} in a --traffic-policy-file`;

const FLAGS: readonly Omit<OlderFlag, 'help'>[] = [
  { name: 'domain', value: 'name', protos: ['http', 'tls'], today: '--url VALUE' },
  { name: 'hostname', value: 'name', protos: ['http', 'tls'], today: '--url VALUE' },
  { name: 'subdomain', value: 'name', protos: ['http', 'tls'], today: '--url VALUE.<base domain of the server>' },
  { name: 'remote-addr', value: 'host:port', protos: ['tcp'], today: '--url tcp://VALUE' },
  { name: 'scheme', value: 'scheme', many: 'commas', protos: ['http'], today: '--url VALUE://…' },
  { name: 'bind-tls', value: 'both|true|false', protos: ['http'], today: '--url http://… or https://…' },
  { name: 'policy-file', value: 'file', today: '--traffic-policy-file VALUE' },
  {
    name: 'app-protocol',
    value: 'protocol',
    choices: ['http1', 'http2'],
    protos: ['http'],
    today: '--upstream-protocol VALUE',
  },
  { name: 'proxy-proto', value: 'version', choices: ['1', '2'], today: '--upstream-proxy-protocol VALUE' },
  { name: 'verify-upstream-tls', protos: ['http', 'tls'], today: '--upstream-tls-verify' },
  { name: 'verify-upstream-tls-cas', value: 'file', protos: ['http', 'tls'], today: '--upstream-tls-verify-cas VALUE' },
  {
    name: 'host-header',
    value: 'rewrite|preserve|name',
    protos: ['http'],
    today: `${action('add-headers')} (host: …)`,
  },
  { name: 'basic-auth', value: 'user:password', many: 'times', protos: ['http'], today: action('basic-auth') },
  { name: 'auth', value: 'user:password', many: 'times', protos: ['http'], today: action('basic-auth') },
  { name: 'oauth', value: 'provider', protos: ['http'], today: action('oauth') },
  { name: 'oauth-allow-domain', value: 'domain', many: 'commas', protos: ['http'], today: action('oauth') },
  { name: 'oauth-allow-email', value: 'email', many: 'commas', protos: ['http'], today: action('oauth') },
  { name: 'oauth-scope', value: 'scope', many: 'commas', protos: ['http'], today: action('oauth') },
  { name: 'oauth-client-id', value: 'id', protos: ['http'], today: action('oauth') },
  { name: 'oauth-client-secret', value: 'secret', protos: ['http'], today: action('oauth') },
  { name: 'oidc', value: 'issuer', protos: ['http'], today: action('openid-connect') },
  { name: 'oidc-allow-domain', value: 'domain', many: 'commas', protos: ['http'], today: action('openid-connect') },
  { name: 'oidc-allow-email', value: 'email', many: 'commas', protos: ['http'], today: action('openid-connect') },
  { name: 'oidc-scope', value: 'scope', many: 'commas', protos: ['http'], today: action('openid-connect') },
  { name: 'oidc-client-id', value: 'id', protos: ['http'], today: action('openid-connect') },
  { name: 'oidc-client-secret', value: 'secret', protos: ['http'], today: action('openid-connect') },
  { name: 'cidr-allow', value: 'cidr', many: 'commas', protos: ['http'], today: action('restrict-ips') },
  { name: 'cidr-deny', value: 'cidr', many: 'commas', protos: ['http'], today: action('restrict-ips') },
  { name: 'request-header-add', value: 'name: value', many: 'times', protos: ['http'], today: action('add-headers') },
  { name: 'request-header-remove', value: 'name', many: 'commas', protos: ['http'], today: action('remove-headers') },
  { name: 'response-header-add', value: 'name: value', many: 'times', protos: ['http'], today: action('add-headers') },
  { name: 'response-header-remove', value: 'name', many: 'commas', protos: ['http'], today: action('remove-headers') },
  { name: 'compression', protos: ['http'], today: action('compress-response') },
  { name: 'circuit-breaker', value: 'ratio', protos: ['http'], today: action('circuit-breaker') },
  {
    name: 'ua-filter-allow',
    value: 'pattern',
    many: 'times',
    protos: ['http'],
    today: `${action('deny')}, with an expression over req.user_agent`,
  },
  {
    name: 'ua-filter-deny',
    value: 'pattern',
    many: 'times',
    protos: ['http'],
    today: `${action('deny')}, with an expression over req.user_agent`,
  },
  { name: 'verify-webhook', value: 'provider', protos: ['http'], today: action('verify-webhook') },
  { name: 'verify-webhook-secret', value: 'secret', protos: ['http'], today: action('verify-webhook') },
  {
    name: 'websocket-tcp-converter',
    protos: ['http'],
    today: 'the same: bytes of WebSocket messages go to a service that speaks none',
  },
  { name: 'mutual-tls-cas', value: 'file', protos: ['http'], today: action('terminate-tls') },
  {
    name: 'terminate-at',
    value: 'place',
    choices: ['edge', 'agent', 'upstream'],
    protos: ['tls'],
    today: '--crt and --key',
  },
];

export const OLDER_FLAGS: readonly OlderFlag[] = FLAGS.map((flag) => ({
  ...flag,
  help: `older spelling of ${flag.today}`,
}));
