import { fail } from '@postern/errors';
import { describe, expect, test } from 'vitest';
import { decodeBind } from './decode-bind.ts';
import { decodeAuth, decodeLabelBind, decodePatchTunnel, decodeServerInfo, decodeUnbind } from './decode-requests.ts';
import * as responses from './decode-responses.ts';
import * as requests from './encode-requests.ts';
import * as answers from './encode-responses.ts';

const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString());
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('Auth', () => {
  test('of the Rust family', () => {
    const auth = decodeAuth({
      Version: ['3', '2'],
      ClientId: '',
      Extra: {
        OS: 'linux',
        Arch: 'x86_64',
        AuthToken: 'secret',
        Version: '0.18.0',
        Hostname: '',
        UserAgent: 'ngrok-javascript/1.7.0 ngrok-rust/0.18.0',
        Metadata: 'm',
        Cookie: '',
        HeartbeatInterval: 5_000_000_000,
        HeartbeatTolerance: 7_500_000_000,
        Fingerprint: null,
        UpdateUnsupportedError: null,
        StopUnsupportedError: 'no handler',
        RestartUnsupportedError: '',
        MutualTLS: false,
        ClientType: 'ngrok-javascript',
      },
    });
    expect(auth).toEqual({
      versions: ['3', '2'],
      clientId: '',
      authtoken: 'secret',
      cookie: '',
      os: 'linux',
      arch: 'x86_64',
      agentVersion: '0.18.0',
      hostname: '',
      userAgent: 'ngrok-javascript/1.7.0 ngrok-rust/0.18.0',
      metadata: 'm',
      heartbeatInterval: 5000,
      heartbeatTolerance: 7500,
      updateUnsupported: null,
      stopUnsupported: 'no handler',
      restartUnsupported: '',
      clientType: 'ngrok-javascript',
      legNumber: 0,
      streams: 0,
    });
  });

  test('of the Go family, with other cases and without the younger fields', () => {
    const auth = decodeAuth({ version: ['2'], clientid: 'c', extra: { authtoken: 't', Authtoken: 'last wins' } });
    expect(auth).toMatchObject({ versions: ['2'], clientId: 'c', authtoken: 'last wins', heartbeatInterval: 10_000 });
  });

  test('waits are such that timers can be set to, numbers are finite', () => {
    const extra = (text: string): unknown => JSON.parse(`{"Version":["3"],"Extra":{${text}}}`);
    const auth = decodeAuth(extra('"HeartbeatInterval":1e300,"HeartbeatTolerance":9007199254740993'));
    expect(auth).toMatchObject({ heartbeatInterval: 2_147_483_647, heartbeatTolerance: 2_147_483_647 });
    for (const field of ['HeartbeatInterval', 'LegNumber']) {
      expect(() => decodeAuth(extra(`"${field}":1e999`))).toThrow(`Auth.Extra.${field} must be a number`);
    }
  });

  test('round trip with our own agent', () => {
    const request = decodeAuth({ Version: ['3'], ClientId: 'c', Extra: { Authtoken: 't', LegNumber: 2 } });
    expect(decodeAuth(parse(requests.encodeAuth(request)))).toEqual(request);
  });

  test('a wrong kind is named', () => {
    expect(() => decodeAuth({ ClientId: 7 })).toThrow('Auth.ClientId must be a string');
    expect(() => decodeAuth({ Version: '3' })).toThrow('Auth.Version must be a list of strings');
    expect(() => decodeAuth({ Extra: [] })).toThrow('Auth.Extra must be an object');
    expect(() => decodeAuth([])).toThrow('Auth must be an object');
  });

  test('the answer has what the strict agent needs', () => {
    const bytes = answers.encodeAuthResponse({ version: '3', clientId: 'c', cookie: 'k', region: 'eu' });
    expect(parse(bytes)).toMatchObject({
      Version: '3',
      ClientId: 'c',
      Error: '',
      Extra: { Cookie: 'k', Region: 'eu' },
    });
    expect(responses.decodeAuthResponse(parse(bytes))).toMatchObject({ clientId: 'c', cookie: 'k', region: 'eu' });
    expect(responses.decodeAuthResponse(parse(bytes)).error).toBeUndefined();
    const refused = answers.encodeAuthResponse({ version: '3', clientId: '', error: 'no' });
    expect(responses.decodeAuthResponse(parse(refused)).error).toBe('no');
  });
});

describe('Bind', () => {
  test('of the Rust family: https with everything', () => {
    const opts = {
      Domain: 'app.example.com',
      Hostname: '',
      Subdomain: '',
      Auth: '',
      HostHeaderRewrite: false,
      LocalUrlScheme: null,
      ProxyProto: 1,
      Compression: {},
      CircuitBreaker: { error_threshold: 0.5 },
      BasicAuth: { credentials: [{ username: 'u', cleartext_password: 'p', hashed_password: base64('$2a$x') }] },
      OAuth: { provider: 'google' },
      OIDC: null,
      WebhookVerification: { provider: 'github', secret: 's' },
      MutualTLSCA: { mutual_tls_ca: base64('PEM') },
      RequestHeaders: { add: ['x-a: b:c'], remove: ['x-d'], addParsed: { 'x-a': 'b:c' } },
      ResponseHeaders: { addParsed: { 'x-e': 'f' } },
      WebsocketTCPConverter: {},
      UserAgentFilter: { allow: ['a'], deny: [] },
      IPRestriction: { allow_cidrs: ['10.0.0.0/8'], deny_cidrs: [] },
      TrafficPolicy: '{"on_http_request":[]}',
    };
    const bind = decodeBind({
      Id: '',
      Proto: 'https',
      ForwardsTo: 'localhost:80',
      ForwardsProto: 'http2',
      Opts: opts,
      Extra: { Token: '', IPPolicyRef: '', Metadata: 'm', Bindings: ['public'], PoolingEnabled: true },
    });
    expect(bind.rawOpts).toBe(opts);
    expect(bind).toMatchObject({ proto: 'https', forwardsProto: 'http2', bindings: ['public'], poolingEnabled: true });
    expect(bind.opts).toEqual({
      domain: 'app.example.com',
      proxyProto: 1,
      compression: true,
      circuitBreaker: { errorThreshold: 0.5 },
      basicAuth: [{ username: 'u', password: 'p', passwordHash: '$2a$x' }],
      oauth: { provider: 'google' },
      webhookVerification: { provider: 'github', secret: 's' },
      mutualTlsCa: 'PEM',
      requestHeaders: { add: [['x-a', 'b:c']], remove: ['x-d'] },
      responseHeaders: { add: [['x-e', 'f']], remove: [] },
      websocketTcpConverter: true,
      userAgentFilter: { allow: ['a'], deny: [] },
      ipRestriction: { allow: ['10.0.0.0/8'], deny: [] },
      trafficPolicy: '{"on_http_request":[]}',
    });
  });

  test('of the Go families: URL, null bindings, policy with base64 configs', () => {
    const bind = decodeBind({
      Proto: 'tcp',
      Opts: {
        URL: 'tcp://h:1',
        Addr: '',
        TrafficPolicy: null,
        Policy: {
          inbound: [{ Name: 'n', actions: [{ type: 'deny', config: base64('{"status_code":404}') }] }],
          outbound: null,
        },
      },
      Extra: { Bindings: null, Name: 'name', Description: 'd' },
    });
    expect(bind).toMatchObject({ id: '', bindings: [], name: 'name', description: 'd' });
    expect(bind.opts).toEqual({
      url: 'tcp://h:1',
      proxyProto: 0,
      policy: { inbound: [{ name: 'n', actions: [{ type: 'deny', config: { status_code: 404 } }] }] },
    });
  });

  test('of the old agent', () => {
    const opts = { Hostname: 'h', Subdomain: 's', Auth: 'u:p', HostHeaderRewrite: true, LocalURLScheme: 'http' };
    expect(decodeBind({ Proto: 'http', Opts: opts, Extra: { Token: 't' } }).opts).toEqual({
      hostname: 'h',
      subdomain: 's',
      auth: 'u:p',
      hostHeaderRewrite: true,
      proxyProto: 0,
    });
  });

  test('tls: an empty termination ends TLS here, null passes through', () => {
    expect(decodeBind({ Opts: { TLSTermination: {} } }).opts.tlsTermination).toEqual({ cert: '', key: '' });
    expect(decodeBind({ Opts: { TLSTermination: null } }).opts.tlsTermination).toBeUndefined();
    const own = { TLSTermination: { cert: base64('C'), key: base64('K') }, MutualTLSAtAgent: true };
    expect(decodeBind({ Opts: own }).opts).toMatchObject({
      tlsTermination: { cert: 'C', key: 'K' },
      mutualTlsAtAgent: true,
    });
  });

  test.each([
    [{ Opts: [] }, 'Bind.Opts must be an object'],
    [{ Opts: { ProxyProto: 3 } }, 'Opts.ProxyProto must be 0, 1 or 2'],
    [{ Opts: { MutualTLSCA: { mutual_tls_ca: '*' } } }, 'Opts.MutualTLSCA.mutual_tls_ca must be standard base64'],
    [{ Opts: { BasicAuth: { credentials: {} } } }, 'Opts.BasicAuth.credentials must be a list'],
    [{ Opts: { RequestHeaders: { add: ['novalue'] } } }, 'of the form name:value, not "novalue"'],
    [{ Opts: { TLSTermination: { sealed_key: 'x' } } }, 'Opts.TLSTermination.sealed_key cannot be opened'],
    [{ Extra: { PoolingEnabled: 'yes' } }, 'Bind.Extra.PoolingEnabled must be true or false'],
  ])('a wrong field is named: %j', (message, words) => {
    expect(() => decodeBind(message)).toThrow(words);
  });

  test.each([
    [
      'https',
      { Domain: 'd' },
      { Domain: 'd', Hostname: '', Auth: '', Subdomain: '', HostHeaderRewrite: false, ProxyProto: 0 },
    ],
    ['tcp', { Addr: null }, { Addr: '', ProxyProto: 0 }],
    ['tcp', { addr: 'h:1' }, { Addr: 'h:1', ProxyProto: 0 }],
    ['tls', { Subdomain: null }, { Hostname: '', Subdomain: '', ProxyProto: 0, MutualTLSAtAgent: false }],
  ])('the answer echoes Opts of %s and fills up what must be there', (proto, opts, expected) => {
    const bytes = answers.encodeBindResponse({ id: 'i', url: 'https://h', proto, opts, token: 't', tunnelId: 'tn_1' });
    expect(parse(bytes)).toEqual({
      Id: 'i',
      URL: 'https://h',
      Proto: proto,
      Opts: expected,
      Extra: { Token: 't', TunnelID: 'tn_1' },
      Error: '',
    });
    expect(responses.decodeBindResponse(parse(bytes))).toMatchObject({ id: 'i', token: 't', opts: expected });
  });

  test('an error says words and codes on lines of their own, those of its causes too', () => {
    const text = answers.errorText(fail(9026, { reason: 'rules[0]: unknown action (ERR_NGROK_2201)' }));
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^The traffic policy.*unknown action/);
    expect(lines[0]).not.toContain('ERR_NGROK');
    expect(lines.slice(1)).toEqual(['', 'ERR_NGROK_9026', 'Caused by ERR_NGROK_2201', '']);
  });

  test('a refusal keeps the shape', () => {
    const text = answers.errorText(fail(334, { url: 'https://a', holder: 'another agent' }));
    const response = responses.decodeBindResponse(parse(answers.encodeBindError('https', text)));
    expect(response).toMatchObject({ id: '', opts: { Hostname: '' } });
    expect(text).toMatch(/^"https:\/\/a" is already online .*\n\nERR_NGROK_334\n$/);
    expect(responses.parseErrorText(response.error ?? '')).toEqual({
      code: 'ERR_NGROK_334',
      message: text.slice(0, text.indexOf('\n')),
    });
  });

  test('our own agent', () => {
    const message = {
      id: 'old',
      proto: 'https',
      forwardsTo: 'http://localhost:1',
      forwardsProto: '',
      opts: { URL: 'https://a', ProxyProto: 0 },
      token: 't',
      metadata: '',
      bindings: ['internal'],
      poolingEnabled: true,
      name: 'n',
      description: '',
    };
    expect(decodeBind(parse(requests.encodeBind(message)))).toMatchObject({
      id: 'old',
      token: 't',
      bindings: ['internal'],
      opts: { url: 'https://a', proxyProto: 0 },
    });
  });
});

describe('the smaller messages', () => {
  test('Unbind, labels, patch, server info', () => {
    expect(decodeUnbind(parse(requests.encodeUnbind('x')))).toEqual({ id: 'x' });
    const labels = { id: '', labels: { edge: 'e' }, forwardsTo: 'f', forwardsProto: '', metadata: 'm' };
    expect(decodeLabelBind(parse(requests.encodeLabelBind(labels)))).toEqual(labels);
    expect(() => decodeLabelBind({ Labels: { edge: 1 } })).toThrow('Labels must be an object of strings');
    const patch = { tunnelId: 'tn', metadata: '', poolingEnabled: false };
    expect(decodePatchTunnel(parse(requests.encodePatchTunnel(patch)))).toEqual(patch);
    expect(decodeServerInfo(parse(requests.encodeServerInfo()))).toEqual({});
    expect(() => decodeServerInfo([])).toThrow('SrvInfo must be an object');
    expect(responses.decodeServerInfoResponse(parse(answers.encodeServerInfoResponse('eu')))).toEqual({ region: 'eu' });
    expect(responses.decodeLabelBindResponse(parse(answers.encodeLabelBindResponse('i')))).toEqual({
      id: 'i',
      error: '',
    });
  });

  test('commands', () => {
    expect(parse(requests.encodeCommand())).toEqual({});
    expect(parse(requests.encodeUpdate('3.1', true))).toEqual({ Version: '3.1', PermitMajorVersion: true });
    expect(responses.decodeUpdate({ Version: '3.1', PermitMajorVersion: true })).toEqual({
      version: '3.1',
      permitMajorVersion: true,
    });
    const stop = parse(requests.encodeStopTunnel('i', 'gone', null));
    expect(stop).toEqual({ Id: 'i', Message: 'gone', ErrorCode: null });
    expect(responses.decodeStopTunnel(stop)).toEqual({ id: 'i', message: 'gone', errorCode: null });
    expect(responses.decodeErrorResponse({})).toBe('');
    expect(responses.decodeErrorResponse(parse(answers.encodeErrorResponse('bad')))).toBe('bad');
    expect(parse(answers.encodeUnbindResponse())).toEqual({ Error: '', Extra: {} });
    expect(parse(answers.encodePatchTunnelResponse('e'))).toEqual({ Error: 'e' });
  });
});
