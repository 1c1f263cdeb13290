/** Keys of configuration files (agent-and-ux.md §1.3): version 3, and version 2 which is read as well. */
import { anything, choice, duration, flag, list, mapOf, number, object, text } from './kinds.ts';

const logLevel = choice('crit', 'error', 'eror', 'warn', 'info', 'debug', 'dbug', 'trace');
const logFormat = choice('term', 'logfmt', 'json');

/** Both versions have them, under these names. */
const COMMON = {
  authtoken: text,
  api_key: text,
  connect_interface: text,
  connect_timeout: duration,
  console_ui: choice('true', 'false', 'iftty'),
  console_ui_color: text,
  crl_noverify: flag,
  dns_resolver_ips: list(text),
  heartbeat_interval: duration,
  heartbeat_tolerance: duration,
  inspect_db_size: number,
  log: text,
  log_format: logFormat,
  log_level: logLevel,
  metadata: text,
  proxy_url: text,
  remote_management: flag,
  update_channel: text,
  update_check: flag,
  web_addr: text,
  web_allow_hosts: list(text),
};

const headers = object({ add: list(text), remove: list(text) });
const cidrs = object({ allow_cidrs: list(text), deny_cidrs: list(text) });
const login = object({
  provider: text,
  issuer_url: text,
  allow_domains: list(text),
  allow_emails: list(text),
  scopes: list(text),
  client_id: text,
  client_secret: text,
});

const tunnel = object({
  addr: text,
  proto: text,
  name: text,
  description: text,
  url: text,
  metadata: text,
  inspect: flag,
  bindings: list(text),
  binding: text,
  pooling_enabled: flag,
  // http
  auth: text,
  basic_auth: list(text),
  bind_tls: text,
  schemes: list(text),
  circuit_breaker: number,
  compression: flag,
  host_header: text,
  domain: text,
  subdomain: text,
  hostname: text,
  ip_restriction: cidrs,
  mutual_tls_cas: text,
  oauth: login,
  oidc: login,
  policy: anything,
  traffic_policy: anything,
  traffic_policy_file: text,
  proxy_proto: text,
  app_protocol: text,
  request_header: headers,
  response_header: headers,
  user_agent_filter: object({ allow: list(text), deny: list(text) }),
  verify_webhook: object({ provider: text, secret: text }),
  websocket_tcp_converter: flag,
  // tcp and tls
  remote_addr: text,
  crt: text,
  key: text,
  terminate_at: choice('edge', 'agent', 'upstream'),
  // Of edges.
  labels: list(text),
});

const endpoint = object({
  name: text,
  url: text,
  bindings: list(text),
  metadata: text,
  description: text,
  pooling_enabled: flag,
  traffic_policy: anything,
  traffic_policy_file: text,
  inspect: flag,
  agent_tls_termination: object({
    server_certificate: text,
    server_private_key: text,
    mutual_tls_certificate_authorities: list(text),
    min_version: text,
    max_version: text,
  }),
  upstream: object({
    url: text,
    protocol: choice('http1', 'http2'),
    proxy_protocol: text,
    tls_verify: flag,
    tls_verify_cas: text,
  }),
});

export const version3 = object({
  version: text,
  agent: object({
    ...COMMON,
    connect_url: text,
    connect_cas: text,
    crl_url: text,
    local_storage: flag,
    // Of Postern alone.
    connect_urls: list(text),
    sessions: number,
    api_url: text,
    api_cas: text,
  }),
  endpoints: list(endpoint),
  tunnels: mapOf(tunnel),
});

export const version2 = object({
  ...COMMON,
  version: text,
  region: text,
  root_cas: text,
  server_addr: text,
  http_proxy: text,
  socks5_proxy: text,
  tunnels: mapOf(tunnel),
});

export const tunnelDefinition = tunnel;
export const endpointDefinition = endpoint;
