/** Visitors over HTTP/1 who leave while a service works for them: it is told, and nothing is done twice. */
import { createServer as createHttp2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, exchangeText, get, harness, sleep } from '../testing/http-harness.ts';
import { listening, nodeService, rawService } from '../testing/services.ts';

const to = (id: string) => [upstream(id, `t_${id}`)];
const bodiless = (method: string): string => `${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`;

describe('a visitor who leaves by FIN', () => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('has his %s done once', async (method) => {
    let seen = 0;
    await using service = await nodeService((request) => {
      seen++;
      request.resume();
    });
    await using edge = await harness({ agents: { s1: dial(service.port), s2: dial(service.port) } });
    edge.publish(
      endpoint('ep_1', 'http', 'app.test', { pooling: true, upstreams: to('s1') }),
      endpoint('ep_2', 'http', 'app.test', { pooling: true, upstreams: to('s2') }),
    );
    const socket = edge.connect();
    socket.resume().write(bodiless(method));
    await expect.poll(() => seen).toBe(1);
    socket.end();
    await expect.poll(() => edge.events.length).toBe(1);
    await sleep(50);
    expect(seen).toBe(1);
    socket.destroy();
  });

  test('has no second service do it when the service stops for his sake', async () => {
    let seen = 0;
    await using service = await rawService((socket) => {
      socket.on('data', () => seen++);
      socket.on('end', () => socket.end());
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: to('s1') }));
    const socket = edge.connect();
    socket.write(get('/'));
    await expect.poll(() => seen).toBe(1);
    socket.end();
    expect(await exchangeText(socket, '')).toContain('502');
    expect(seen).toBe(1);
  });

  test('is told to a service that does not look at its socket, and the place comes back', async () => {
    const sockets: Socket[] = [];
    await using service = await rawService((socket) => {
      socket.on('error', () => {}).resume();
      sockets.push(socket);
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: to('s1') }));
    const visitor = edge.connect();
    visitor.on('error', () => {}).resume();
    visitor.write(get('/'));
    await expect.poll(() => sockets.length).toBe(1);
    visitor.end();
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
    // Behind a FIN the runtime tells of a reset to who writes.
    await expect
      .poll(() => {
        sockets[0]?.write('late');
        return sockets[0]?.destroyed;
      })
      .toBe(true);
    await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['client-gone']);
  });

  test('is told to an HTTP/2 service', async () => {
    let codes: number[] = [];
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      codes.push(-1);
      stream.on('error', () => {}).resume();
      stream.on('close', () => (codes = [stream.rstCode]));
    });
    await using service = await listening(server);
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [{ ...upstream('s1', 't1'), protocol: 'http2' }] }));
    const visitor = edge.connect();
    visitor.on('error', () => {}).resume();
    visitor.write(get('/'));
    await expect.poll(() => codes).toEqual([-1]);
    visitor.end();
    await expect.poll(() => codes).toEqual([8]);
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
  });
});

describe('a visitor who only half-closes', () => {
  test('has his answer from a service that goes on, however long it is', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1');
        setTimeout(() => socket.write('2'), 1_000);
        setTimeout(() => socket.write('3'), 4_000);
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: to('s1') }));
    const socket = edge.connect();
    socket.end(get('/'));
    expect(await exchangeText(socket, '')).toMatch(/123$/);
  });
});
