/** Bytes: many of them, both ways, ends of one side, who leaves, and many endpoints at once. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { metric } from '../../support/metrics.ts';
import { portOf } from '../../support/port-of.ts';
import { until } from '../../support/until.ts';
import { http2Upstream } from '../../support/upstream.ts';
import { bytes, checksumOf } from '../harness/service.ts';
import { openRequest } from '../harness/world.ts';
import { type AgentDuty, type Bench, firstOf } from './bench.ts';

const BULK = 64 * 1024 * 1024;
/** POSTERN_CLIENTS_LOAD multiplies: 0.2 for many runs beside other work. */
const LOAD = Number(process.env['POSTERN_CLIENTS_LOAD'] ?? '1');
const SESSIONS = Math.round(50 * LOAD);
const LEAVERS = Math.round(700 * LOAD);
const LEAVE_AT_ONCE = 20;
const VISITS_AT_ONCE = 10;
/** Half of what their answers would hold if what was under way stayed: 256 KiB for each. */
const KEPT_BYTES = (LEAVERS * 262_144) / 2 + 67_108_864;

async function sumOf(stream: AsyncIterable<Buffer>): Promise<{ length: number; checksum: string }> {
  const digest = createHash('sha256');
  let length = 0;
  for await (const chunk of stream) {
    digest.update(chunk);
    length += chunk.length;
  }
  return { length, checksum: digest.digest('hex') };
}

async function sendAll(to: NodeJS.WritableStream, length: number, end: 'end' | 'open' = 'open'): Promise<void> {
  for (const chunk of bytes(length)) if (!to.write(chunk)) await once(to, 'drain');
  if (end === 'end') to.end();
}

/** Until so much has come. */
async function* taken(stream: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of stream) {
    yield chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** One who asks for a large answer and leaves when the first of it is there. */
async function leave(bench: Bench, url: string): Promise<void> {
  const { request, answer } = await openRequest(bench.world, `${url}/bytes/${BULK}`);
  request.on('error', () => undefined);
  request.end();
  const response = await answer;
  await once(response, 'readable');
  request.destroy();
}

/** A service that keeps the first bytes of each connection and answers `seen`. */
async function firstBytesService(): Promise<{ port: number; seen: Buffer[]; close(): Promise<void> }> {
  const seen: Buffer[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      seen.push(chunk);
      socket.end('seen');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export const BYTES: readonly AgentDuty[] = [
  {
    name: '64 MB down',
    needs: ['forwards'],
    run: async (bench) => {
      const { url } = await bench.listen(await bench.connect());
      const { request, answer } = await openRequest(bench.world, `${url}/bytes/${BULK}`);
      request.end();
      assert.deepEqual(await sumOf(await answer), { length: BULK, checksum: checksumOf(BULK) });
    },
  },
  {
    name: '64 MB up',
    needs: ['forwards'],
    run: async (bench) => {
      const { url } = await bench.listen(await bench.connect());
      const { request, answer } = await openRequest(bench.world, `${url}/sum`, { method: 'POST' });
      await sendAll(request, BULK, 'end');
      let text = '';
      for await (const chunk of await answer) text += String(chunk);
      assert.equal(text, `${BULK} ${checksumOf(BULK)}`);
    },
  },
  {
    name: '64 MB echoed over tcp',
    needs: ['forwards'],
    run: async (bench) => {
      const upstream = `tcp://127.0.0.1:${bench.world.echo.port}`;
      const { url } = await bench.listen(await bench.connect(), { proto: 'tcp', upstream });
      const socket = await bench.world.dial(url);
      const [sum] = await Promise.all([sumOf(taken(socket, BULK)), sendAll(socket, BULK)]);
      socket.destroy();
      assert.deepEqual(sum, { length: BULK, checksum: checksumOf(BULK) });
    },
  },
  {
    name: 'half-close, forwarded',
    needs: ['half-close-forwarded'],
    run: async (bench) => {
      // Answers only when the visitor has ended its side.
      const service = net.createServer({ allowHalfOpen: true }, (socket) => {
        let length = 0;
        socket.on('data', (chunk: Buffer) => (length += chunk.length));
        socket.on('end', () => socket.end(`${length} bytes`));
        socket.on('error', () => socket.destroy());
      });
      service.listen(0, '127.0.0.1');
      await once(service, 'listening');
      try {
        const upstream = `tcp://127.0.0.1:${portOf(service)}`;
        const { url } = await bench.listen(await bench.connect(), { proto: 'tcp', upstream });
        const socket = await bench.world.dial(url);
        socket.end('x'.repeat(100_000));
        assert.equal((await sumOf(socket)).length, '100000 bytes'.length);
      } finally {
        service.close();
      }
    },
  },
  {
    name: 'half-close, served',
    needs: ['serves-tcp'],
    run: async (bench) => {
      const { url } = await bench.listen(await bench.connect(), { proto: 'tcp', upstream: 'none' });
      const socket = await bench.world.dial(url);
      const [sum] = await Promise.all([sumOf(socket), sendAll(socket, 1_000_000, 'end')]);
      assert.deepEqual(sum, { length: 1_000_000, checksum: checksumOf(1_000_000) });
    },
  },
  {
    name: 'http2 service',
    needs: ['http2'],
    run: async (bench) => {
      const service = await http2Upstream((stream, headers) => {
        stream.respond({ ':status': 200, 'x-protocol': 'h2' });
        stream.end(`${String(headers[':method'])} ${String(headers[':path'])}`);
      });
      try {
        const fields = { upstream: service.url, upstream_proto: 'http2' };
        const { url } = await bench.listen(await bench.connect(), fields);
        const answer = await bench.world.visit(`${url}/of/h2`);
        assert.deepEqual([answer.status, answer.text, answer.headers['x-protocol']], [200, 'GET /of/h2', 'h2']);
      } finally {
        await service.close();
      }
    },
  },
  ...(['1', '2'] as const).map((version): AgentDuty => ({
    name: `PROXY v${version}`,
    needs: ['proxy-protocol'],
    run: async (bench) => {
      const service = await firstBytesService();
      try {
        const fields = { proto: 'tcp', upstream: `tcp://127.0.0.1:${service.port}`, proxy_proto: version };
        const { url } = await bench.listen(await bench.connect(), fields);
        const socket = await bench.world.dial(url);
        const local = socket.localPort ?? 0;
        socket.write('payload');
        assert.equal(String(await firstOf(socket)), 'seen');
        socket.destroy();
        const [first = Buffer.alloc(0)] = service.seen;
        if (version === '1') {
          assert.match(first.toString('latin1'), new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${local} `));
        } else {
          assert.equal(first.subarray(0, 12).toString('latin1'), '\r\n\r\n\0\r\nQUIT\n');
          assert.equal(first.readUInt16BE(24), local);
        }
      } finally {
        await service.close();
      }
    },
  })),
  {
    name: 'many',
    needs: ['forwards'],
    run: async (bench) => {
      const urls: string[] = [];
      for (let at = 0; at < SESSIONS; at += 1) {
        const session = await bench.connect();
        const pair = await Promise.all([bench.listen(session), bench.listen(session)]);
        urls.push(...pair.map(({ url }) => String(url)));
      }
      assert.equal(new Set(urls).size, SESSIONS * 2);
      // A visitor who cannot say his name within three seconds is cut off: this process is all of them.
      for (let at = 0; at < urls.length; at += VISITS_AT_ONCE) {
        const some = urls.slice(at, at + VISITS_AT_ONCE);
        const answers = await Promise.all(some.map((url) => bench.world.visit(`${url}/of/many`)));
        for (const [index, { text }] of answers.entries())
          assert.equal(text, `GET /of/many of ${new URL(some[index] ?? '').host}`);
      }
    },
  },
  {
    name: 'visitors who leave',
    needs: ['forwards'],
    run: async (bench) => {
      const { url } = await bench.listen(await bench.connect());
      await until(() => bench.world.service.open() === 0);
      const leaving = async (count: number): Promise<void> => {
        for (let left = count; left > 0; left -= LEAVE_AT_ONCE)
          await Promise.all(Array.from({ length: Math.min(left, LEAVE_AT_ONCE) }, () => leave(bench, url)));
      };
      const held = (name: string): Promise<number> => metric(bench.world.platform, name);
      const streams = await held('postern_agent_streams');
      // What the first ones make stays: code, connections' slabs.
      await leaving(LEAVE_AT_ONCE);
      const memory = await held('process_resident_memory_bytes');
      await leaving(LEAVERS - LEAVE_AT_ONCE);
      // Connections of agents to the service, streams and memory are back, and the session serves as before.
      await until(() => bench.world.service.open() <= 1);
      // A heartbeat's stream may have begun meanwhile.
      await until(async () => (await held('postern_agent_streams')) <= streams + 1);
      await until(async () => (await held('process_resident_memory_bytes')) < memory + KEPT_BYTES);
      const answers = await Promise.all(Array.from({ length: 20 }, () => bench.world.visit(`${url}/after`)));
      assert.ok(answers.every(({ status }) => status === 200));
    },
  },
];
