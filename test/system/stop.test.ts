/** A stop waits for what is in flight and for nothing else: whoever is idle is let go at once, whether he looks or not. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { httpUpstream, tcpEcho, type Upstream } from '../support/upstream.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';

/** Whoever holds the stop up holds it for the whole drain: far from a slow machine's second. */
const DRAIN_S = 40;
const SOON_MS = (DRAIN_S * 1000) / 2;

let platform: Platform;
const closing: (() => unknown)[] = [];
async function begin(): Promise<void> {
  platform = await Platform.start({ args: [`--drain-timeout=${DRAIN_S}`] });
}
async function end(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
  await platform.dispose();
}
beforeEach(begin);
afterEach(end);

/**
 * The server lets who says nothing for a second or more go, so that a machine that stood still for as long shows nothing.
 * @param judge answers whether it could; else it is asked again, with another server
 */
async function judged(judge: () => Promise<boolean>): Promise<void> {
  while (!(await judge())) {
    await end();
    await begin();
  }
}

const ok = JSON.stringify({
  on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body: 'ok' } }] }],
});
const endpoint = async (url: string): Promise<void> => {
  expect((await platform.api('POST', '/endpoints', { url, traffic_policy: ok })).status).toBe(201);
};

function track<S extends net.Socket>(socket: S): S {
  socket.on('error', () => {});
  closing.push(() => socket.destroy());
  return socket;
}

/** A connection to a listener; half-open, so that only the server's own doing closes it. */
function connect(address: string): net.Socket {
  const [host, port] = splitAddress(address);
  return track(net.connect({ host, port, allowHalfOpen: true }));
}

async function tunnel(...args: string[]): Promise<string> {
  const started = Tunnel.beside(platform, args);
  closing.push(() => started.stop('SIGKILL'));
  return started.url();
}

async function upstream(started: Promise<Upstream>): Promise<Upstream> {
  const up = await started;
  closing.push(() => up.close());
  return up;
}

/** Sends SIGTERM; resolves with code and the milliseconds that it took. */
async function stop(): Promise<{ code: number | null; ms: number }> {
  const began = performance.now();
  const { code } = await platform.stop('SIGTERM');
  return { code, ms: performance.now() - began };
}

/** What the log holds beyond the usual. */
const complaints = (): string[] => platform.output.split('\n').filter((line) => /"level":"(warn|error)"/.test(line));

const VISIT = 'GET / HTTP/1.1\r\nHost: idle.test\r\n\r\n';

describe('who is idle does not hold the stop', () => {
  test('HTTP/1 and HTTP/2 visitors between two requests, over plain TCP and TLS, who do not read', async () => {
    await endpoint('http://idle.test');
    await endpoint('https://idle.test');
    const plain = connect(platform.runtime.http_addr);
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const secure = track(tls.connect({ host, port, servername: 'idle.test', ca: platform.ca }));
    for (const socket of [plain, secure]) {
      socket.write(VISIT);
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
      socket.pause();
    }
    const session = connectHttp2(platform, 'https://idle.test');
    closing.push(() => session.destroy());
    expect((await requestHttp2(session, '/', {})).status).toBe(200);
    expect(await stop()).toMatchObject({ code: 0, ms: expect.toSatisfy((ms: number) => ms < SOON_MS) });
    expect(complaints()).toEqual([]);
  });

  test('connections that never said anything, and one that stopped in the middle of a head', async () => {
    const silent = [platform.runtime.http_addr, platform.runtime.https_addr].map(connect);
    const half = connect(platform.runtime.http_addr);
    half.write(VISIT.slice(0, 20));
    await Promise.all([...silent, half].map((socket) => once(socket, 'connect')));
    expect(await stop()).toMatchObject({ code: 0, ms: expect.toSatisfy((ms: number) => ms < SOON_MS) });
  });

  test('FIN comes first, and RST a second later to whoever does not close', async () => {
    await endpoint('http://idle.test');
    const visitor = connect(platform.runtime.http_addr);
    visitor.write(VISIT);
    await once(visitor, 'data');
    const ended = once(visitor.resume(), 'end');
    const stopped = stop();
    await ended;
    expect(platform.process.exitCode).toBeNull();
    expect((await stopped).code).toBe(0);
    // After FIN alone a first write would still be taken.
    const error = await new Promise<Error | null | undefined>((resolve) => visitor.write('x', resolve));
    expect(error).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) });
  });

  test('connections of TCP endpoints and WebSockets on which nothing moves', async () => {
    const echo = await upstream(tcpEcho());
    const sockets = await upstream(
      httpUpstream(() => {}).then((up) => {
        up.server.on('upgrade', (_request, socket: net.Socket) => {
          socket.on('error', () => {});
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
          socket.pipe(socket);
        });
        return up;
      }),
    );
    const url = new URL(await tunnel('tcp', String(echo.port)));
    await tunnel('http', String(sockets.port), '--url', 'http://upgraded.test');
    const bytes = track(net.connect({ host: '127.0.0.1', port: Number(url.port), allowHalfOpen: true }));
    bytes.write('hello');
    expect(String((await once(bytes, 'data'))[0])).toBe('hello');
    const upgraded = connect(platform.runtime.http_addr);
    upgraded.write('GET / HTTP/1.1\r\nHost: upgraded.test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
    expect(String((await once(upgraded, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /);
    expect(await stop()).toMatchObject({ code: 0, ms: expect.toSatisfy((ms: number) => ms < SOON_MS) });
    expect(complaints()).toEqual([]);
  });
});

describe('what is in flight is finished', () => {
  test('a request whose head and body come while the server stops, and a TCP connection that goes on talking', () =>
    judged(async () => {
      const up = await upstream(
        httpUpstream((request, response) => {
          let size = 0;
          request.on('data', (chunk: Buffer) => (size += chunk.length)).on('end', () => response.end(`got ${size}`));
        }),
      );
      const echo = await upstream(tcpEcho());
      await tunnel('http', String(up.port), '--url', 'http://flight.test');
      const tcp = new URL(await tunnel('tcp', String(echo.port)));
      const talk = track(net.connect({ host: '127.0.0.1', port: Number(tcp.port) }));
      const over = new Promise((resolve) => talk.once('close', () => resolve('over')));
      const visitor = connect(platform.runtime.http_addr);
      visitor.write('POST / HTTP/1.1\r\nHost: flight.test\r\nContent-Length: 23\r\n\r\na');
      talk.write('-');
      await once(talk, 'data');
      let heard = performance.now();
      const stopped = stop();
      let answer = '';
      visitor.on('data', (chunk: Buffer) => (answer += String(chunk)));
      // For longer than a connection may be quiet meanwhile (1.5 s), and never quiet for nearly as long.
      for (const byte of 'bcdefghijklmnopqrstuvw') {
        await new Promise((resolve) => setTimeout(resolve, 100));
        talk.write(byte);
        const said = await Promise.race([new Promise((resolve) => talk.once('data', resolve)).then(String), over]);
        if (performance.now() - heard > 1_200) return false;
        heard = performance.now();
        expect(said).toBe(byte);
        visitor.write(byte);
      }
      await once(visitor, 'end');
      visitor.destroy();
      talk.destroy();
      expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*got 23/i);
      expect((await stopped).code).toBe(0);
      expect(complaints()).toEqual([]);
      return true;
    }));

  test('a visitor who was let in just before, and asks after his TLS handshake', () =>
    judged(async () => {
      await endpoint('https://idle.test');
      const [host, port] = splitAddress(platform.runtime.https_addr);
      const raw = connect(platform.runtime.https_addr);
      await once(raw, 'connect');
      const since = performance.now();
      const stopped = stop();
      await new Promise((resolve) => setTimeout(resolve, 150));
      // He has a second for his first byte.
      if (performance.now() - since > 700) return false;
      const visitor = track(tls.connect({ socket: raw, host, port, servername: 'idle.test', ca: platform.ca }));
      await once(visitor, 'secureConnect');
      visitor.write(VISIT);
      expect(String((await once(visitor, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
      visitor.destroy();
      expect((await stopped).code).toBe(0);
      return true;
    }));
});
