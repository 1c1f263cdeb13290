import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { frame } from '../testing/h2-frames.ts';
import { dial, harness } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
/** `:method GET`, `:scheme http`, `:path /` from the static table, `:authority app.test` as a literal. */
const HEAD = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x41, 8]), Buffer.from('app.test')]);
const END_STREAM = 1;
const END_HEADERS = 4;

const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

describe('an HTTP/2 connection ends for', () => {
  test.each([
    ['pings without a request', frame(6, 0, 0, Buffer.alloc(8)), 20_000],
    ['settings without end', SETTINGS, 20_000],
    ['a header block without end', frame(9, 0, 1, literal('x-a', 'b'.repeat(100))), 20_000],
  ])('%s', async (what, piece, count) => {
    await using service = await nodeService((_, response) => response.end('ok'));
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect();
    socket.on('error', () => {});
    socket.resume();
    const open = what.includes('header') ? frame(1, 0, 1, HEAD) : Buffer.alloc(0);
    socket.write(Buffer.concat([PREFACE, SETTINGS, open]));
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('end', () => socket.destroy());
    const burst = Buffer.concat(Array.from({ length: 500 }, () => piece));
    for (let sent = 0; sent < count && !socket.destroyed; sent += 500) {
      socket.write(burst);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await ended;
    expect(socket.destroyed).toBe(true);
    expect(edge.agents.get('s1')?.streams).toBe(0);
  });
});

describe('a head over HTTP/2 is refused', () => {
  test.each([
    ['with the framing of HTTP/1', literal('transfer-encoding', 'chunked')],
    ['with two lengths', Buffer.concat([literal('content-length', '0'), literal('content-length', '5')])],
    ['with another host', literal('host', 'other.test')],
    ['with an upper-case name', literal('X-A', 'b')],
  ])('%s', async (_, field) => {
    const seen: string[] = [];
    await using service = await nodeService((request, response) => {
      seen.push(request.url ?? '');
      response.end();
    });
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect();
    socket.on('error', () => {});
    const answered = new Promise((resolve) => {
      let got = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        // Our HEADERS or RST_STREAM of stream 1, or GOAWAY.
        for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) {
          const type = got[at + 3];
          if (type === 1 || type === 3 || type === 7) resolve(type);
        }
      });
      socket.on('close', resolve);
    });
    socket.write(
      Buffer.concat([PREFACE, SETTINGS, frame(1, END_STREAM | END_HEADERS, 1, Buffer.concat([HEAD, field]))]),
    );
    await answered;
    socket.destroy();
    expect(seen).toEqual([]);
  });

  test('and a clean one passes; a field with a line break is dropped on the way', async () => {
    await using service = await nodeService((request, response) => response.end(`<${request.rawHeaders.join()}>`));
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect();
    const got = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        // Compressed fields before it (a Date) may have a `>` of their own.
        if (/<host,[^]*>/i.test(text)) resolve(text);
      });
    });
    const fields = Buffer.concat([HEAD, literal('x-a', 'b\r\nx-injected: 1'), literal('x-b', 'kept')]);
    socket.write(Buffer.concat([PREFACE, SETTINGS, frame(1, END_STREAM | END_HEADERS, 1, fields)]));
    const text = await got;
    expect(text).toContain('x-b,kept');
    expect(text).not.toContain('x-injected');
    socket.destroy();
  });
});
