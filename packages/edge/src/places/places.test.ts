/** Places as visitors and agents meet them: real sockets, an agent that bears forty streams. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { edgeHarness, type EdgeHarness } from '../testing/edge-harness.ts';
import { echo, IDLE, type StreamTaker } from '../testing/fake-agent.ts';

const LIMIT = 40;

/** Answers each request; what asks for /ws is switched to bytes that come back. */
const service: StreamTaker = (stream, header, rest) => {
  if (String(rest).startsWith('GET /ws ')) {
    stream.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'));
    return echo(stream, header, Buffer.alloc(0));
  }
  const answer = (chunk: Buffer): void => {
    if (!String(chunk).startsWith('GET ')) return;
    stream.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  };
  answer(rest);
  return {
    ...IDLE,
    onData: (chunk) => {
      stream.consume(chunk.length);
      answer(chunk);
    },
    onEnd: () => stream.end(),
  };
};

/** @param queueMs nobody is to wait in vain, however busy the machine is, but where that is asked for */
async function online(streams = 0, queueMs = 60_000): Promise<EdgeHarness & AsyncDisposable> {
  const harness = await edgeHarness({
    limits: { streamsPerSession: LIMIT, mostStreamsPerSession: 200, queueMs },
  });
  const agent = await harness.dialAgent();
  await agent.auth({ streams });
  agent.onStream(service);
  await agent.bind('http://web.example.test');
  return harness;
}

const HOST = 'Host: web.example.test\r\n';
const UPGRADE = `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
const UPLOAD = `POST / HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\nx`;
const PAGE = `GET / HTTP/1.1\r\n${HOST}\r\n`;

/** Sends and resolves with the status of the answer, '' when there is none within the time. */
async function ask(harness: EdgeHarness, text: string, sockets: Socket[] = [], ms = 60_000): Promise<string> {
  const socket = await harness.tcp(harness.edge.addresses.http.port);
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write(text);
  const got = await once(socket, 'data', { signal: AbortSignal.timeout(ms) }).then(String, () => '');
  return /^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? '';
}

const together = (
  harness: EdgeHarness,
  count: number,
  text: string,
  sockets: Socket[],
  ms?: number,
): Promise<string[]> => Promise.all(Array.from({ length: count }, () => ask(harness, text, sockets, ms)));

describe('an agent that bears forty streams', () => {
  test('keeps a quarter of them for what is short, whatever one visitor holds open', async () => {
    await using harness = await online(0, 3_000);
    const sockets: Socket[] = [];
    const upgrades = together(harness, 60, UPGRADE, sockets);
    await expect.poll(async () => (await harness.edge.stats()).places.waiting).toBe(30);
    expect(await ask(harness, PAGE)).toBe('200');
    const answers = await upgrades;
    expect(answers.filter((status) => status === '101')).toHaveLength(30);
    expect(answers.filter((status) => status === '503')).toHaveLength(30);
    expect((await harness.edge.stats()).places).toMatchObject({ refused: 30, waiting: 0 });
    for (const socket of sockets) socket.destroy();
  });

  test('serves pages beside uploads that never end', async () => {
    await using harness = await online();
    const sockets: Socket[] = [];
    void together(harness, 60, UPLOAD, sockets, 1);
    await expect.poll(async () => (await harness.edge.stats()).places.waiting).toBe(30);
    expect(await together(harness, 20, PAGE, [])).toEqual(Array.from({ length: 20 }, () => '200'));
    for (const socket of sockets) socket.destroy();
  });

  test('serves a hundred visitors who keep their connections, one after the other', async () => {
    await using harness = await online();
    const sockets: Socket[] = [];
    const answers = await together(harness, 100, PAGE, sockets);
    expect(answers).toEqual(answers.map(() => '200'));
    expect((await harness.edge.stats()).places.refused).toBe(0);
    for (const socket of sockets) socket.destroy();
  });
});

test('an agent that says what it bears gets that many, up to the setting', async () => {
  for (const [says, gets] of [
    [0, LIMIT],
    [120, 120],
    [1_000_000_000, 200],
  ] as const) {
    await using harness = await online(says);
    // One is our heartbeat.
    const { used, free } = (await harness.edge.stats()).places;
    expect(used + free).toBe(gets);
  }
});
