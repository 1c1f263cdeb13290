/**
 * Every setting of the server, once: the flag, the environment variable (`POSTERN_` and the flag in capitals), the key
 * of the YAML file, the help line. Precedence: flag, environment, file, default (docs/design.md §1, Server defaults).
 */
import { CERTIFICATE_OPTIONS } from './certificate-options.ts';
import type { ServerOption } from './option.ts';

export const SERVER_OPTIONS = [
  {
    key: 'api_listen',
    kind: 'list',
    value: 'host:port',
    default: '127.0.0.1:4400',
    help: 'where the REST API listens',
  },
  {
    key: 'http_listen',
    kind: 'list',
    value: 'host:port',
    default: '127.0.0.1:8880',
    help: 'where visitors come over plain HTTP',
  },
  {
    key: 'https_listen',
    kind: 'list',
    value: 'host:port',
    default: '127.0.0.1:8443',
    help: 'where visitors come over HTTPS and TLS',
  },
  {
    key: 'agent_listen',
    kind: 'list',
    value: 'host:port',
    default: '127.0.0.1:4443',
    help: 'where agents connect (TLS); may be the same as --https-listen',
  },
  {
    key: 'tcp_listen',
    kind: 'list',
    value: 'host:from-to',
    default: '127.0.0.1:20000-20999',
    help: 'ports of TCP endpoints',
  },
  {
    key: 'metrics_listen',
    kind: 'list',
    value: 'host:port',
    default: '127.0.0.1:4401',
    help: 'where /metrics, /healthz and /readyz are',
  },
  {
    key: 'base_domain',
    kind: 'list',
    value: 'name',
    default: 'postern.localhost',
    help: 'domain under which names are given out',
  },
  {
    key: 'tcp_host',
    kind: 'text',
    value: 'name',
    default: '',
    help: 'host name of TCP endpoints (default: localhost, or tcp.<base domain> when one is given)',
  },
  {
    key: 'agent_name',
    kind: 'list',
    value: 'name',
    default: '',
    help: 'further names and addresses under which agents dial this server, beside localhost and connect.<base domain>',
  },
  {
    key: 'public_http_port',
    kind: 'text',
    value: 'port',
    default: '',
    help: 'port of http:// URLs, when a proxy in front has another than the listener',
  },
  {
    key: 'public_https_port',
    kind: 'text',
    value: 'port',
    default: '',
    help: 'port of https:// URLs, when a proxy in front has another than the listener',
  },
  {
    key: 'redirect_to_https',
    kind: 'switch',
    value: 'true|false',
    default: 'true',
    help: 'send plain HTTP for a name that is served over HTTPS or TLS only there (307)',
  },
  {
    key: 'public_api_url',
    kind: 'text',
    value: 'url',
    default: '',
    help: 'base URL that the API writes into its answers (default: of its listener)',
  },
  {
    key: 'auto_reserve',
    kind: 'text',
    value: 'any|base|off',
    default: 'any',
    help: 'which hosts creating an endpoint reserves by itself',
  },
  {
    key: 'region',
    kind: 'text',
    value: 'name',
    default: 'us',
    help: 'region that the API, agents and sessions are told',
  },
  {
    key: 'trusted_proxies',
    kind: 'list',
    value: 'cidr',
    default: '',
    help: 'proxies whose X-Forwarded-* (in conn.client_ip and routing) or PROXY header is believed: docs/headers.md',
  },
  {
    key: 'policy_outgoing_allow',
    kind: 'list',
    value: 'cidr',
    default: '',
    help: 'networks that traffic policies may call although they are not public (sets of keys inside)',
  },
  {
    key: 'strict_expressions',
    kind: 'switch',
    value: 'true|false',
    default: '',
    help: 'answer 500 (ERR_NGROK_2254) when an expression of a policy fails, instead of passing its rule over',
  },
  {
    key: 'address_data',
    kind: 'list',
    value: 'file',
    default: '',
    help: 'databases (MaxMind format) and lists of categories that policies know addresses by; read again when they change, and on SIGHUP',
  },
  {
    key: 'owasp_crs',
    kind: 'list',
    value: 'folder',
    default: '',
    help: 'OWASP Core Rule Set for owasp-crs-* actions: its folder, and its crs-setup.conf where that is elsewhere',
  },
  {
    key: 'oauth_apps',
    kind: 'text',
    value: 'file',
    default: '',
    help: 'YAML file of apps of this server at identity providers, for oauth actions without a client_id (default: none)',
  },
  {
    key: 'proxy_protocol',
    kind: 'switch',
    value: 'true|false',
    default: '',
    help: 'expect a PROXY protocol header from trusted proxies, on every port, of agents too',
  },
  {
    key: 'tls_certificate',
    kind: 'list',
    value: 'cert.pem,key.pem',
    default: '',
    help: 'certificate and key files for the names in them (several in the environment: separated by spaces); read again on SIGHUP',
  },
  ...CERTIFICATE_OPTIONS,
  {
    key: 'workers',
    kind: 'text',
    value: 'count',
    default: '0',
    help: 'processes that serve visitors and agents, each on a core of its own; auto = one for each core, up to 4; 0 = the server itself does',
  },
  {
    key: 'data_dir',
    kind: 'text',
    value: 'folder',
    default: '',
    help: "where state lives (default: ./.postern in a clone, else the system's data folder)",
  },
  { key: 'database', kind: 'text', value: 'url', default: '', help: 'database (default: SQLite in the data folder)' },
  { key: 'api_rate_limit', kind: 'text', value: 'calls', default: '20000', help: 'API calls per key and minute' },
  {
    key: 'cors_origin',
    kind: 'list',
    value: 'origin',
    default: '',
    help: 'web origins whose pages may call the API from a browser, as https://tools.example.com; * for any, without credentials (default: none)',
  },
  {
    key: 'drain_timeout',
    kind: 'text',
    value: 'seconds',
    default: '30',
    help: 'how long a stop waits for what is in flight',
  },
  {
    key: 'agent_return_timeout',
    kind: 'text',
    value: 'seconds',
    default: '150',
    help: 'how long after a start the names of agents that were connected before answer 503 (Retry-After), not 404',
  },
  {
    key: 'request_head_timeout',
    kind: 'text',
    value: 'seconds',
    default: '30',
    help: 'how long a visitor may take to send the head of a request',
  },
  {
    key: 'idle_timeout',
    kind: 'text',
    value: 'seconds',
    default: '300',
    help: 'how long a connection of a visitor may be without a byte',
  },
  {
    key: 'stall_timeout',
    kind: 'text',
    value: 'seconds',
    default: '30',
    help: 'how long a visitor may accept nothing of what waits for it',
  },
  {
    key: 'max_connections',
    kind: 'text',
    value: 'count',
    default: '20000',
    help: 'connections open at once, for each of the HTTP, HTTPS, TCP and agent listeners',
  },
  {
    key: 'max_connections_per_ip',
    kind: 'text',
    value: 'count',
    default: '10000',
    help: 'of those, how many may come from one address; trusted proxies count in the whole only',
  },
  {
    key: 'max_streams_per_agent',
    kind: 'text',
    value: 'count',
    default: '480',
    help: "visitors' streams at once over one connection of an agent; official agents end at 512",
  },
  {
    key: 'max_streams_per_own_agent',
    kind: 'text',
    value: 'count',
    default: '16384',
    help: 'the same for agents that say how many they bear, as postern http does by its memory',
  },
  {
    key: 'queue_timeout',
    kind: 'text',
    value: 'seconds',
    default: '5',
    help: 'how long a visitor waits for a stream when all are taken, before 503',
  },
  {
    key: 'arrival_timeout',
    kind: 'text',
    value: 'seconds',
    default: '2',
    help: 'how long visitors may have to wait until they are taken in, before some are refused (503; a reset before TLS); 0 = for ever; Linux only',
  },
  {
    key: 'log_format',
    kind: 'text',
    value: 'pretty|json',
    default: '',
    help: 'log lines (default: pretty on a terminal, else json)',
  },
  {
    key: 'access_log',
    kind: 'text',
    value: 'file|-',
    default: '',
    help: 'a line for each request and connection of visitors, - on stdout; opened again on SIGHUP (default: none)',
  },
  {
    key: 'access_log_format',
    kind: 'text',
    value: 'json|combined',
    default: 'json',
    help: 'lines of the access log: docs/operate.md, Access log',
  },
  { key: 'log_level', kind: 'text', value: 'debug|info|warn|error', default: 'info', help: 'least severe log line' },
] as const satisfies readonly ServerOption[];

export type SettingKey = (typeof SERVER_OPTIONS)[number]['key'];

export function isSettingKey(text: string): text is SettingKey {
  return SERVER_OPTIONS.some(({ key }) => key === text);
}

/** Settings as text, before they are understood. Absent = not given. */
export type RawSettings = Partial<Record<SettingKey, readonly string[]>>;

/** `api_listen` → `--api-listen` */
export function flagOf(key: string): string {
  return `--${key.replaceAll('_', '-')}`;
}

/** `api_listen` → `POSTERN_API_LISTEN` */
export function variableOf(key: string): string {
  return `POSTERN_${key.toUpperCase()}`;
}
