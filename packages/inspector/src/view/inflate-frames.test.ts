/** Frames of a real WebSocket library, watched on their way. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions } from 'ws';
import { Watched } from '../testing/watched.ts';
import { search } from './search.ts';

let watched: Watched;
let close: (() => void)[];
beforeEach(() => {
  watched = new Watched();
  close = [];
});
afterEach(() => {
  for (const end of close) end();
});

/** Says back what it hears, deflated as agreed. */
async function connect(
  deflate: PerMessageDeflateOptions,
  clientDeflate: PerMessageDeflateOptions = {},
): Promise<WebSocket> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0, ...deflate } });
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await once(server, 'listening');
  const relay = net.createServer((near) => {
    const watch = watched.connection();
    const far = net.connect({ port: portOf(server.address()), host: '127.0.0.1' });
    near.on('data', (chunk: Buffer) => {
      watch.fromVisitor(chunk);
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      watch.fromService(chunk);
      near.write(chunk);
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => far.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const url = `ws://127.0.0.1:${portOf(relay.address())}`;
  const client = new WebSocket(url, { perMessageDeflate: { threshold: 0, ...clientDeflate } });
  close.push(
    () => client.terminate(),
    () => server.close(),
    () => relay.close(),
  );
  await once(client, 'open');
  return client;
}

function portOf(address: ReturnType<net.Server['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

async function say(client: WebSocket, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    client.send(text);
    await once(client, 'message');
  }
}

const line = (at: number): string => `{"event":"order.created","number":${at},"of":"somebody or other"}`;

describe.each([
  ['as usual', {}, {}],
  ['each for itself', { serverNoContextTakeover: true, clientNoContextTakeover: true }, {}],
  ['with a small window', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
])('deflated %s', (_, deflate, clientDeflate) => {
  test('messages that refer to those before them are shown unfolded, and found', async () => {
    await say(await connect(deflate, clientDeflate), line(1), line(2), 'ä', line(3));
    const shown = watched.messages.map(({ text, deflated, inflated }) => ({ text, deflated, inflated }));
    const expected = [line(1), line(2), 'ä', line(3)].flatMap((text) => {
      const one = { text, deflated: true, inflated: Buffer.byteLength(text) };
      return [one, one];
    });
    expect(shown).toEqual(expected);
    expect(await search(watched.recorder, { text: '"number":3' }, 10, 0)).toHaveLength(1);
    expect(await search(watched.recorder, { text: '"number":4' }, 10, 0)).toHaveLength(0);
  });
});

test('a message in several frames is shown with its first, pings between them or not', async () => {
  const client = await connect({});
  client.send('one, ', { fin: false });
  client.ping();
  client.send('two', { fin: true });
  await once(client, 'message');
  const fromVisitor = watched.messages.filter((message) => message.fromVisitor && message.opcode !== 9);
  expect(fromVisitor[0]).toMatchObject({ text: 'one, two', final: false, inflated: 8 });
  expect(fromVisitor[1]).toMatchObject({ opcode: 0, deflated: false });
});

test('what would unfold to gigabytes does not', async () => {
  const client = await connect({});
  await say(client, 'a'.repeat(3_000_000), 'after it');
  const [, large, , after] = watched.messages;
  expect(large).toMatchObject({ problem: 'unfolds to more than 1048576 bytes', deflated: true });
  expect(large?.bytes).toBeLessThan(16_384);
  // It may refer to the large one or not; nothing wrong is shown in either case.
  expect([undefined, 'after it']).toContain(after?.text);
  const many = watched.messages.length;
  for (let count = 0; count < 6; count += 1) await say(client, `${count}${'b'.repeat(999_000)}`);
  const unfolded = watched.messages.slice(many).reduce((sum, { inflated = 0 }) => sum + inflated, 0);
  expect(unfolded).toBeLessThanOrEqual(4 * 1024 * 1024);
});

test('what is too large to be kept is told, and what refers to it', async () => {
  const noise = randomBytes(30_000).toString('base64');
  await say(await connect({}), noise, noise.slice(-200));
  const [first, , third] = watched.messages;
  expect(first?.problem).toBe('too large to be kept whole');
  expect([undefined, noise.slice(-200)]).toContain(third?.text);
});
