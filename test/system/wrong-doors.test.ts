/** Every port with a client of the wrong kind: a clear answer where its protocol has one, an end otherwise. */
import net from 'node:net';
import tls from 'node:tls';
import { connectAgent } from '@postern/agent';
import { StreamType } from '@postern/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { RawAgent } from '../support/raw-agent.ts';
import { agentAddress, sessionBuilder } from '../support/sdk.ts';
import { PATIENCE_MS } from '../support/until.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
  const policy = {
    on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, content: 'open' } }] }],
  };
  for (const url of ['http://doors.test', 'https://doors.test']) {
    const created = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    expect(created.status).toBe(201);
  }
});
afterAll(() => platform?.dispose());

type Door = 'http' | 'https' | 'agent' | 'api' | 'metrics';

function addressOf(door: Door): [host: string, port: number] {
  const { runtime } = platform;
  if (door === 'api') return splitAddress(new URL(runtime.api_url).host);
  if (door === 'metrics') return splitAddress(new URL(runtime.metrics_url).host);
  return splitAddress({ http: runtime.http_addr, https: runtime.https_addr, agent: runtime.agent_addr }[door]);
}

/** Writes bytes and answers everything until the server ends the connection; rejects when it does not. */
function say(socket: net.Socket, bytes: Buffer | string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const late = setTimeout(
      () => reject(new Error(`still open; got ${Buffer.concat(chunks).toString('latin1')}`)),
      PATIENCE_MS,
    );
    const over = (): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', over);
    socket.write(bytes);
  });
}

const sayPlain = (door: Door, bytes: Buffer | string): Promise<Buffer> => {
  const [host, port] = addressOf(door);
  return say(net.connect({ host, port }), bytes);
};

function sayOverTls(door: Door, bytes: Buffer | string, options: tls.ConnectionOptions = {}): Promise<Buffer> {
  const [host, port] = addressOf(door);
  return say(tls.connect({ host, port, ca: platform.ca, servername: 'doors.test', ...options }), bytes);
}

/** Error code of a failed handshake; '' when it did not fail. */
function handshake(door: Door, options: tls.ConnectionOptions): Promise<string> {
  const [host, port] = addressOf(door);
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port, ca: platform.ca, ...options }, () => {
      socket.destroy();
      resolve('');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('silent')));
  });
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: doors.test\r\nConnection: close\r\n\r\n';
/** Bytes that no protocol begins with. */
const GARBAGE = Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 167 + 251) & 0xff));
const H2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** The first frames of an agent: SYN of an Auth stream. */
const MUX = Buffer.from('\0\0\x06\x12\0\0\0\x03\0\0\0\0{}', 'latin1');
const alert = (description: number): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, description]);

describe('the wrong protocol', () => {
  test('HTTP to the HTTPS and agent ports is told that TLS is expected', async () => {
    for (const door of ['https', 'agent'] as const) {
      const answer = (await sayPlain(door, REQUEST)).toString();
      expect(answer, door).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer, door).toContain('ERR_NGROK_90006');
    }
  });

  test('HTTP over TLS to the agent port is told where web pages are', async () => {
    const answer = (await sayOverTls('agent', REQUEST, { servername: 'localhost' })).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('tunnel agents');
    const browser = REQUEST.replace('\r\n\r\n', '\r\nAccept: text/html,*/*\r\n\r\n');
    const page = (await sayOverTls('agent', browser, { servername: 'localhost' })).toString();
    expect(page).toMatch(/content-type: text\/html.*<a href="https:\/\/[\w.]+(:\d+)?\/">/s);
  });

  test('TLS to the HTTP, API and metrics ports fails at once', async () => {
    for (const door of ['http', 'api', 'metrics'] as const) {
      expect(await handshake(door, { servername: 'doors.test' }), door).toMatch(/^(ERR_SSL_|EPROTO|ECONNRESET)/);
    }
  });

  test('HTTP/2 without TLS is told which version is served', async () => {
    expect((await sayPlain('http', H2_PREFACE)).toString()).toMatch(/^HTTP\/1\.1 505 /);
  });

  test('garbage', async () => {
    expect((await sayPlain('http', GARBAGE)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sayPlain('https', GARBAGE)).toEqual(alert(50));
    expect(await sayPlain('agent', GARBAGE)).toEqual(alert(50));
    expect((await sayPlain('api', GARBAGE)).toString()).toMatch(/^(HTTP\/1\.1 400 |$)/);
    expect((await sayPlain('metrics', GARBAGE)).toString()).toMatch(/^(HTTP\/1\.1 400 |$)/);
    expect((await sayOverTls('https', GARBAGE)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    // To the mux it is a long frame of a type that does not exist, which is to be ignored; Auth does not come in time.
    expect((await sayOverTls('agent', GARBAGE, { servername: 'localhost' })).length).toBeLessThan(200);
  });

  test('a single byte, and then nothing', async () => {
    for (const door of ['http', 'https', 'agent'] as const) {
      const [host, port] = addressOf(door);
      const socket = net.connect({ host, port });
      socket.end('\x16');
      expect((await say(socket, Buffer.alloc(0))).length, door).toBeLessThan(400);
    }
  });

  test('the agent protocol to the HTTP and HTTPS ports', async () => {
    expect((await sayPlain('http', MUX)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect((await sayOverTls('https', MUX)).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('TLS without a name, with an unknown protocol, with too old a version', async () => {
    expect(await handshake('https', { servername: '' })).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    expect(await handshake('https', { servername: 'doors.test', ALPNProtocols: ['smtp'] })).toMatch(/ALERT|PROTOCOL/);
    const old = {
      servername: 'doors.test',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    expect(await handshake('https', old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED/);
  });

  test('HTTP/1 where HTTP/2 was agreed', async () => {
    const answer = await sayOverTls('https', REQUEST, { ALPNProtocols: ['h2'] });
    expect(answer.toString()).not.toContain('open');
  });
});

describe('the wrong token', () => {
  const shaped = '2abcdefghijklmnopqrstuvwxyz_5BCDEFGHIJKLMNOPQRSTU';

  async function revoked(): Promise<string> {
    const made = await platform.api('POST', '/credentials', { description: 'for a moment' });
    expect(made.status).toBe(201);
    expect((await platform.api('DELETE', `/credentials/${String(made.body.id)}`)).status).toBe(204);
    return String(made.body.token);
  }

  const rows: readonly (readonly [name: string, token: () => Promise<string> | string, code: string])[] = [
    ['none', () => '', 'ERR_NGROK_4018'],
    ['not a token', () => 'nonsense', 'ERR_NGROK_105'],
    ['blanks', () => ' \t ', 'ERR_NGROK_105'],
    ['a very long one', () => 'x'.repeat(10_000), 'ERR_NGROK_105'],
    ['one of another service', () => shaped, 'ERR_NGROK_107'],
    [
      'one letter changed',
      () => `${platform.authtoken.slice(0, -1)}${platform.authtoken.endsWith('A') ? 'B' : 'A'}`,
      'ERR_NGROK_107',
    ],
    ['revoked', revoked, 'ERR_NGROK_107'],
    ['the API key', () => platform.apiKey, 'ERR_NGROK_90050'],
  ];

  test.each(rows)('%s: raw, Postern agent, SDK', async (_, make, code) => {
    const token = await make();
    const raw = await RawAgent.connect(platform);
    expect(await raw.auth({ authtoken: token })).toContain(code);
    // The connection is good for another try.
    expect(await raw.auth({ authtoken: platform.authtoken })).toBe('');
    raw.close();

    const agent = connectAgent({ serverAddr: agentAddress(platform), ca: platform.ca, authtoken: token });
    await expect(agent.online()).rejects.toMatchObject({ message: expect.any(String), code });
    await agent.close(0);

    // The SDK does not send blanks and does not know how to begin without a token.
    if (token.trim() === '') return;
    await expect(sessionBuilder(platform).authtoken(token).connect()).rejects.toThrow(new RegExp(`${code}\\b`));
  });

  test('a live session ends when its credential is deleted, and is told why it cannot come back', async () => {
    const made = await platform.api('POST', '/credentials', { description: 'to be revoked' });
    const raw = await RawAgent.connect(platform);
    expect(await raw.auth({ authtoken: String(made.body.token) })).toBe('');
    expect((await platform.api('DELETE', `/credentials/${String(made.body.id)}`)).status).toBe(204);
    await raw.ended;
  });
});

describe('the wrong words', () => {
  test('an unknown protocol version', async () => {
    const raw = await RawAgent.connect(platform);
    expect(await raw.auth({ authtoken: platform.authtoken, versions: ['9'] })).toContain('ERR_NGROK_120');
    expect(await raw.auth({ authtoken: platform.authtoken, versions: [] })).toContain('ERR_NGROK_120');
    raw.close();
  });

  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  const wrong: readonly (readonly [name: string, type: number, request: Buffer])[] = [
    ['no JSON', StreamType.auth, bytes('hello')],
    ['a list', StreamType.auth, bytes('[]')],
    ['a number where a text belongs', StreamType.auth, bytes('{"Version":["3"],"Extra":{"Token":7}}')],
    ['deep nesting', StreamType.auth, bytes('{"a":'.repeat(20_000))],
    ['no UTF-8', StreamType.auth, bytes('{"Version":["\xff\xfe"]}')],
    ['too much', StreamType.auth, bytes(`{"x":"${'y'.repeat(200_000)}"}`)],
    ['a bind before Auth', StreamType.bind, bytes('{"Proto":"http","Opts":{}}')],
    ['an unbind before Auth', StreamType.unbind, bytes('{"Id":"x"}')],
    ['a patch before Auth', StreamType.patchTunnel, bytes('{"Id":"x"}')],
    ['a stream type that nobody knows', 77, bytes('{}')],
  ];
  test.each(wrong)('%s is answered or reset, and the connection lives', async (_, type, request) => {
    const raw = await RawAgent.connect(platform);
    const answer = await raw.ask(type, request).catch((error: Error) => error.message);
    expect(JSON.stringify(answer)).toMatch(/ERR_NGROK_\d+|reset with code/);
    expect(await raw.auth({ authtoken: platform.authtoken })).toBe('');
    raw.close();
  });

  test('Auth twice', async () => {
    const raw = await RawAgent.connect(platform);
    expect(await raw.auth({ authtoken: platform.authtoken })).toBe('');
    expect(await raw.auth({ authtoken: platform.authtoken })).toContain('ERR_NGROK_109');
    raw.close();
  });
});

test('after all of it the right door is open, and nothing has failed inside', async () => {
  expect((await platform.visit('https://doors.test/')).text).toBe('open');
  expect(platform.process.exitCode).toBeNull();
  expect(platform.output).not.toMatch(/failed inside the edge|agent RPC failed|uncaught/i);
});
