import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { frame } from '../testing/h2-frames.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

const HEAD = '\x86\x84\x41\x08app.test';
const length = (value: string): string => `\x00\x0econtent-length\x01${value}`;

/** Type, stream and error code of what comes. */
async function ask(
  bytes: Buffer,
  ms = 400,
): Promise<{ frames: [number, number, number][]; seen: string[]; ended: boolean }> {
  const seen: string[] = [];
  await using service = await nodeService((request, response) => {
    request.on('error', () => {});
    seen.push(request.method ?? '');
    response.end('ok');
  });
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  socket.on('error', () => {});
  let got = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
  socket.write(Buffer.concat([PREFACE, bytes]));
  let ended = false;
  for (const event of ['end', 'close']) socket.on(event, () => (ended = true));
  // The edge's own moments begin when it has read that, which on a busy machine is later than now.
  await expect.poll(() => got.length).toBeGreaterThan(0);
  await sleep(ms);
  const endedByThen = ended;
  socket.destroy();
  const frames: [number, number, number][] = [];
  for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) {
    const type = got.readUInt8(at + 3);
    const code = type === 3 ? got.readUInt32BE(at + 9) : type === 7 ? got.readUInt32BE(at + 13) : 0;
    frames.push([type, got.readUInt32BE(at + 5), code]);
  }
  return { frames, seen, ended: endedByThen };
}

test('a body of less than its content-length is an error of its stream', async () => {
  const { frames, seen } = await ask(
    Buffer.concat([frame(1, 4, 1, `\x83${HEAD}${length('5')}`), frame(0, 1, 1, 'xyz'), frame(1, 5, 3, `\x82${HEAD}`)]),
  );
  expect(frames).toContainEqual([3, 1, 1]);
  expect(frames.some(([type]) => type === 7)).toBe(false);
  // HEADERS of the other stream.
  expect(frames.some(([type, id]) => type === 1 && id === 3)).toBe(true);
  expect(seen).toContain('GET');
});

describe('a body of more than its content-length is an error of its stream', () => {
  const body = (...frames: Buffer[]): Buffer => Buffer.concat([...frames, frame(1, 5, 3, `\x82${HEAD}`)]);
  const rows: readonly (readonly [string, Buffer])[] = [
    ['none at all', body(frame(1, 4, 1, `\x83${HEAD}${length('0')}`), frame(0, 1, 1, 'xyz'))],
    ['one byte', body(frame(1, 4, 1, `\x83${HEAD}${length('2')}`), frame(0, 1, 1, 'xyz'))],
    ['in another frame', body(frame(1, 4, 1, `\x83${HEAD}${length('2')}`), frame(0, 0, 1, 'xy'), frame(0, 1, 1, 'z'))],
  ];
  test.each(rows)('%s', async (_, bytes) => {
    const { frames, seen, ended } = await ask(bytes);
    expect(frames).toContainEqual([3, 1, 1]);
    expect(frames.some(([type]) => type === 7)).toBe(false);
    expect(frames.some(([type, id]) => type === 1 && id === 3)).toBe(true);
    expect(seen).toContain('GET');
    expect(ended).toBe(false);
  });
});

describe('an error of the connection is GOAWAY with PROTOCOL_ERROR, and its end', () => {
  const rows: readonly (readonly [string, Buffer])[] = [
    ['DATA on stream 0', frame(0, 1, 0, 'xyz')],
    ['an acknowledgement of nothing', Buffer.concat([frame(4, 1, 0, ''), frame(4, 1, 0, '')])],
    [
      'beside an error of a stream',
      Buffer.concat([frame(1, 4, 1, `\x83${HEAD}${length('0')}`), frame(0, 1, 1, 'xyz'), frame(0, 1, 0, 'xyz')]),
    ],
  ];
  test.each(rows)('%s', async (_, bytes) => {
    const { frames, ended } = await ask(bytes, 800);
    expect(frames.findLast(([type]) => type === 7)?.[2]).toBe(1);
    expect(ended).toBe(true);
  });
});

test('a connection that is ended for waste says so: GOAWAY with ENHANCE_YOUR_CALM', async () => {
  const settings = Buffer.concat(Array.from({ length: 700 }, () => frame(4, 0, 0, '')));
  const { frames } = await ask(settings);
  expect(frames.findLast(([type]) => type === 7)?.[2]).toBe(11);
});
