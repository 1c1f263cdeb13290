import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../../testing/fixtures.ts';
import type { LiveEndpoint } from '../../context.ts';
import { HOP_MARK, HopMarks } from './hop-mark.ts';
import { dial, harness } from '../../testing/http-harness.ts';
import { nodeService, type Service } from '../../testing/services.ts';
import { connect, createServer } from 'node:net';

const live = (id: string): LiveEndpoint => ({ endpoint: endpoint(id, 'http', `${id}.test`), policy: null });

describe('marks', () => {
  const marksOf = (key: number): HopMarks => {
    const made = new HopMarks();
    made.signWith(Buffer.alloc(32, key));
    return made;
  };
  const marks = marksOf(1);

  test('name where a request entered, and end a circle at once and a chain after four returns', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map(live);
    let trail = '';
    for (const [index, entry] of all.entries()) {
      expect(marks.judge(trail, entry)).toBe(index === 0 ? 'none' : index < 4 ? 'chain' : 'circle');
      const fields = ['Host', 'x'];
      fields.push(HOP_MARK, marks.markOf(trail, entry));
      trail = marks.take(fields);
      expect(fields).toEqual(['Host', 'x']);
      expect(trail.split('.')).toHaveLength(index + 1);
      expect(marks.judge(trail, entry)).toBe('circle');
    }
  });

  test('are taken out and mean nothing when they were not signed here', () => {
    const fields: string[] = [];
    fields.push(HOP_MARK, marksOf(2).markOf('', live('a')));
    const [, foreign = ''] = fields;
    fields.push(HOP_MARK, marks.markOf('', live('b')));
    const trail = marks.take(fields);
    expect(trail).not.toBe('');
    expect(fields).toEqual([]);
    for (const value of [foreign, `${trail}~${'A'.repeat(16)}`, '', '~', 'x'.repeat(10_000)]) {
      const one = ['postern-hop', value, 'Accept', '*/*', 'Postern-Hop', value];
      expect(marks.take(one)).toBe('');
      expect(one).toEqual(['Accept', '*/*']);
    }
  });
});

/** A service that passes bytes to whatever port is named later. */
async function passer(port: () => number): Promise<Service> {
  const server = createServer((socket) => {
    const next = connect(port(), '127.0.0.1');
    socket.on('error', () => {}).pipe(next);
    next.on('error', () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

describe('an endpoint that leads back to the edge', () => {
  test('is told 508 at the first return, over one agent stream', async () => {
    let edgePort = 0;
    const back = await passer(() => edgePort);
    await using edge = await harness({ agents: { s1: dial(back.port) } });
    edgePort = edge.port;
    edge.publish(endpoint('ep', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    const text = await edge.talk('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 508 [^]*ngrok-error-code: ERR_NGROK_90013/i);
    expect(text).not.toMatch(/postern-hop/i);
    expect(edge.agents.get('s1')?.streams).toBe(1);
  });

  test('a chain through another endpoint is served; a service sees our mark and no other, a visitor none', async () => {
    let edgePort = 0;
    const seen: unknown[] = [];
    await using service = await nodeService((request, response) => {
      seen.push(request.headers['postern-hop']);
      response.setHeader('Postern-Hop', String(request.headers['postern-hop']));
      response.end('served');
    });
    // The gateway asks the other endpoint by its public name, with all that it was asked.
    await using gateway = await nodeService((request, response) => {
      const socket = connect(edgePort, '127.0.0.1');
      const mark = String(request.headers['postern-hop']);
      socket.end(`GET / HTTP/1.1\r\nHost: b.test\r\nPostern-Hop: ${mark}\r\nConnection: close\r\n\r\n`);
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.on('close', () => response.end(text));
    });
    await using edge = await harness({ agents: { s1: dial(gateway.port), s2: dial(service.port) } });
    edgePort = edge.port;
    edge.publish(endpoint('a', 'http', 'a.test', { upstreams: [upstream('s1', 't1')] }));
    edge.publish(endpoint('b', 'http', 'b.test', { upstreams: [upstream('s2', 't2')] }));
    const text = await edge.talk('GET / HTTP/1.1\r\nHost: a.test\r\nPostern-Hop: forged\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*served/);
    expect(text).not.toMatch(/postern-hop/i);
    expect(String(seen[0]).split('~')[0]?.split('.')).toHaveLength(2);
  });
});
