/** Visitors' WebSockets whose services want only the bytes, with a WebSocket client of others. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, type Harness, harness } from '../testing/http-harness.ts';
import { rawService, type Service } from '../testing/services.ts';

async function edgeTo(service: Service): Promise<Harness & AsyncDisposable> {
  const edge = await harness({ agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'bytes' })] }));
  return edge;
}

async function visit(
  edge: Harness,
  headers: Record<string, string> = {},
  protocols: string[] = [],
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/`, protocols, {
    headers: { host: 'app.test', ...headers },
  });
  await once(socket, 'open');
  return socket;
}

/** Bytes of messages, as they have come by now. */
function gather(socket: WebSocket): { text: () => string; bytes: () => number } {
  const parts: Buffer[] = [];
  socket.on('message', (data: Buffer, binary: boolean) => parts.push(binary ? data : Buffer.from('(text)')));
  return {
    text: () => Buffer.concat(parts).toString(),
    bytes: () => parts.reduce((sum, { length }) => sum + length, 0),
  };
}

async function closed(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

const echo = () =>
  rawService((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });

test('bytes of messages reach the service, and its bytes come as messages; the service sees no HTTP', async () => {
  const seen: Buffer[] = [];
  await using service = await rawService((socket) => {
    socket.write('220 ready\r\n');
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk);
      socket.write('250 ok\r\n');
    });
    socket.on('end', () => socket.end());
  });
  await using edge = await edgeTo(service);
  const socket = await visit(edge);
  const got = gather(socket);
  await expect.poll(got.text).toBe('220 ready\r\n');
  socket.send(Buffer.from('HELO '), { fin: false });
  socket.send(Buffer.from('a\r\n'), { fin: true });
  await expect.poll(got.text).toContain('250 ok\r\n');
  socket.close(1000);
  expect(await closed(socket)).toBe(1000);
  expect(Buffer.concat(seen).toString()).toBe('HELO a\r\n');
  await expect.poll(() => edge.events.map(({ status, reason }) => [status, reason])).toEqual([[101, 'complete']]);
});

test('megabytes both ways at once arrive whole', async () => {
  await using service = await echo();
  await using edge = await edgeTo(service);
  const socket = await visit(edge);
  const parts: Buffer[] = [];
  socket.on('message', (data: Buffer) => parts.push(data));
  const sent = Buffer.alloc(3_000_000, 'abcdefghijklm');
  for (let at = 0; at < sent.length; at += 70_001) socket.send(sent.subarray(at, at + 70_001));
  await expect.poll(() => parts.reduce((sum, { length }) => sum + length, 0)).toBe(sent.length);
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
  socket.terminate();
});

test('a visitor who reads nothing holds the service up, pings included, and gets all of it in the end', async () => {
  const total = 24_000_000;
  let written = 0;
  await using service = await rawService((socket) => {
    const chunk = Buffer.alloc(100_000, 1);
    const more = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!socket.write(chunk)) break;
      }
      if (written === total) socket.end();
    };
    socket.on('drain', more);
    more();
  });
  await using edge = await edgeTo(service);
  const socket = await visit(edge);
  const got = gather(socket);
  socket.pause();
  let before = -1;
  while (before !== written) {
    before = written;
    for (let turn = 0; turn < 200; turn++) await setImmediate();
  }
  expect(written).toBeLessThan(total);
  let pongs = 0;
  socket.on('pong', () => pongs++);
  for (let ping = 0; ping < 5_000; ping++) socket.ping(Buffer.alloc(100));
  for (let turn = 0; turn < 200; turn++) await setImmediate();
  socket.resume();
  expect(await closed(socket)).toBe(1000);
  expect(got.bytes()).toBe(total);
  expect(pongs).toBeLessThan(5_000);
});

test('a service that reads nothing holds the visitor up', async () => {
  await using service = await rawService((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pause();
  });
  await using edge = await edgeTo(service);
  const socket = await visit(edge);
  const chunk = Buffer.alloc(100_000);
  for (let sent = 0; sent < 200; sent++) socket.send(chunk);
  let before = -1;
  while (before !== socket.bufferedAmount) {
    before = socket.bufferedAmount;
    for (let turn = 0; turn < 200; turn++) await setImmediate();
  }
  expect(socket.bufferedAmount).toBeGreaterThan(0);
  socket.terminate();
});

test('pings are answered', async () => {
  await using service = await echo();
  await using edge = await edgeTo(service);
  const socket = await visit(edge);
  socket.ping('are you there');
  const [data] = (await once(socket, 'pong')) as [Buffer];
  expect(data.toString()).toBe('are you there');
  socket.terminate();
});

describe('ends', () => {
  test('the service ends: all that it said, then 1000', async () => {
    await using service = await rawService((socket) => void socket.end('bye'));
    await using edge = await edgeTo(service);
    const socket = await visit(edge);
    const got = gather(socket);
    expect(await closed(socket)).toBe(1000);
    expect(got.text()).toBe('bye');
  });

  test('the service breaks off: 1011', async () => {
    await using edge = await harness({
      agents: {
        s1: (stream) => {
          stream.write(Buffer.from('half of'));
          stream.reset(6);
          return { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };
        },
      },
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'bytes' })] }));
    expect(await closed(await visit(edge))).toBe(1011);
  });

  test('the agent goes: 1001', async () => {
    await using service = await echo();
    await using edge = await edgeTo(service);
    const socket = await visit(edge);
    socket.send('x');
    edge.agents.get('s1')?.lose();
    expect(await closed(socket)).toBe(1001);
  });

  test('a text message is not taken: 1003, and the service sees a reset', async () => {
    const reset = Promise.withResolvers<string>();
    await using service = await rawService((socket) => {
      socket.on('error', (error) => reset.resolve(error.message));
      socket.on('end', () => reset.resolve('end'));
    });
    await using edge = await edgeTo(service);
    const socket = await visit(edge);
    socket.send('words');
    expect(await closed(socket)).toBe(1003);
    expect(await reset.promise).toContain('ECONNRESET');
  });

  test('a visitor that vanishes within a message is no end for the service', async () => {
    const over = Promise.withResolvers<string>();
    await using service = await rawService((socket) => {
      socket.on('error', () => over.resolve('reset'));
      socket.on('end', () => over.resolve('end'));
    });
    await using edge = await edgeTo(service);
    const socket = await visit(edge);
    socket.send(Buffer.from('part'), { fin: false }, () => socket.terminate());
    expect(await over.promise).toBe('reset');
  });
});

describe('handshakes', () => {
  const ASKING = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

  test.each([
    ['no upgrade', '', '400 ', 'ERR_NGROK_3206'],
    ['another upgrade', 'Connection: Upgrade\r\nUpgrade: h2c\r\n', '400 ', 'ERR_NGROK_3206'],
    ['no key', ASKING, '400 ', 'ERR_NGROK_3206'],
    ['a key that is none', `${ASKING}Sec-WebSocket-Key: abc\r\n`, '400 ', 'ERR_NGROK_3206'],
    ['another version', `${ASKING.replace('13', '8')}${KEY}`, '400 ', 'Sec-WebSocket-Version: 13'],
    ['a body', `${ASKING}${KEY}Content-Length: 1\r\n`, '400 ', 'ERR_NGROK_3206'],
    ['a page of another origin', `${ASKING}${KEY}Origin: https://evil.test\r\n`, '403 ', 'ERR_NGROK_3213'],
    ['a page of none', `${ASKING}${KEY}Origin: null\r\n`, '403 ', 'ERR_NGROK_3213'],
  ])('%s is refused', async (_, headers, status, words) => {
    await using service = await echo();
    await using edge = await edgeTo(service);
    const text = await edge.talk(get('/', headers), /ERR_NGROK_\d+\s*$/);
    expect(text.slice(9)).toMatch(new RegExp(`^${status}`));
    expect(text).toContain(words);
    expect(edge.agents.get('s1')?.streams).toBe(0);
  });

  test('a page of this host, and the sub-protocol that it likes best', async () => {
    await using service = await echo();
    await using edge = await edgeTo(service);
    const socket = await visit(edge, { origin: 'https://app.test' }, ['mqtt', 'other']);
    expect(socket.protocol).toBe('mqtt');
    socket.terminate();
  });

  test('frames that come with the request are the first bytes of the connection', async () => {
    await using service = await echo();
    await using edge = await edgeTo(service);
    const early = Buffer.from([0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    const request = Buffer.concat([Buffer.from(get('/', `${ASKING}${KEY}`)), early]);
    const text = await edge.talk(request, /Hello$/);
    expect(text).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
  });
});
