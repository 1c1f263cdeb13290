import { decodeAuth, decodeBind, type AuthRequest, type BindRequest } from '@postern/protocol';
import type { RouteEndpoint } from '../endpoint.ts';
import type { LoginEvent } from '../login.ts';
import type { PolicyResource } from '../resource.ts';
import type { AgentBound } from '../session.ts';
import type { NodeSettings } from '../settings.ts';
import type { TrafficEvent } from '../traffic.ts';

export const AUTH: AuthRequest = decodeAuth({ Version: ['3'], ClientId: '', Extra: { AuthToken: 'a' } });

/** With members left out, as decoded questions have them. */
export const BIND: BindRequest = decodeBind({
  Proto: 'https',
  Opts: { URL: 'https://ä.test', Compression: {}, RequestHeaders: { add: ['x-a: 1'], remove: ['b'] } },
  Extra: { Metadata: '\u{1F6AA}' },
  ForwardsTo: 'http://localhost:3000',
});

export const BOUND: AgentBound = {
  id: 'ep_1',
  url: 'https://ä.test',
  proto: 'https',
  token: 't',
  tunnelId: 'tn_1',
  host: 'ä.test',
  tlsEndsHere: false,
};

export const ROUTE: RouteEndpoint = {
  id: 'ep_1',
  accountId: 'ac_1',
  kind: 'agent',
  proto: 'https',
  binding: 'public',
  host: 'a.test',
  port: 443,
  url: 'https://a.test',
  publicUrl: 'https://a.test:8443',
  pooling: false,
  policy: '',
  tls: { at: 'agent' },
  upstreams: [{ sessionId: 'ts_1', tunnelId: 'ep_1', forwardsTo: 'x', protocol: 'http1', proxyProtocol: 0 }],
  routes: [],
};

export const SETTINGS: NodeSettings = {
  certificates: { count: 2, last: [['a.test', '*.b.test'], null] },
  webUrl: 'https://a.test/',
  challenges: [
    { kind: 'http-01', name: 'a.test', token: 't', answer: 't.k' },
    { kind: 'tls-alpn-01', name: 'b.test', cert: 'c', key: 'k' },
  ],
  expected: [{ binding: 'public', accountId: 'ac_1', proto: 'http', host: 'a.test', port: 80, until: 9 }],
  keys: {
    hopMarks: new Uint8Array(32).fill(1),
    tickets: new Uint8Array(32).fill(255),
    logins: [{ id: 2_900, key: new Uint8Array(32).fill(7) }],
  },
};

export const EVENT: TrafficEvent = {
  kind: 'http',
  endpointId: 'ep_1',
  accountId: 'ac_1',
  startedAt: 1,
  durationMs: 2,
  clientAddr: '127.0.0.1:1',
  bytesIn: 3,
  bytesOut: 4,
  method: 'GET',
  host: 'a.test',
  path: '/',
  status: 200,
  errorCode: '',
  reason: 'complete',
  access: {
    clientIp: '192.0.2.1',
    scheme: 'https',
    protocol: 'HTTP/2.0',
    query: '?q=\u0000ä',
    userAgent: '',
    referer: '',
    requestId: 'r',
    tlsVersion: '1.3',
    sessionId: 'ts_1',
    headMs: -1,
  },
};

/** One of each kind; a value may be any text. */
export const RESOURCES: readonly PolicyResource[] = [
  { kind: 'secret', id: 'secret_1', accountId: 'ac_1', vault: 'v', name: 'n', value: '\u0000ä\u{1F6AA}\uD800' },
  { kind: 'ended-login', id: 'as_1', accountId: 'ac_1', begunBefore: 0 },
  { kind: 'ip-policy', id: 'ipp_1', accountId: 'ac_1', allow: ['10.0.0.0/8'], deny: ['::/0'] },
  { kind: 'certificate-authority', id: 'ca_1', accountId: 'ac_1', pem: '-----BEGIN CERTIFICATE-----' },
];

export const LOGIN: LoginEvent = {
  kind: 'began',
  accountId: 'ac_1',
  sessionId: 'as_1',
  at: 1,
  until: 0,
  user: { id: 'au_1', provider: 'google', subject: 's', email: 'ä@a.test', name: '\u{1F6AA}' },
  browser: {
    userAgent: { raw: 'x/1', browserName: 'x', browserVersion: '1', deviceType: '', osName: '', osVersion: '' },
    ipAddress: '192.0.2.1',
  },
  endpointId: 'ep_1',
  url: 'https://a.test',
};
