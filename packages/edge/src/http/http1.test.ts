import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import {
  dial,
  exchangeText,
  get,
  harness,
  jsonIn,
  readAll,
  type Harness,
  type HarnessOptions,
  sleep,
} from '../testing/http-harness.ts';
import { nodeService, rawService, type Service } from '../testing/services.ts';

async function edgeTo(service: Service, options: HarnessOptions = {}): Promise<Harness & AsyncDisposable> {
  const edge = await harness({ ...options, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  return edge;
}

describe('messages', () => {
  test('a GET passes through an agent stream, kept for the next', async () => {
    const seen: string[] = [];
    await using service = await rawService((socket) => {
      socket.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString('latin1'));
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nngrok-error-code: ERR_NGROK_1\r\nX-A: b\r\n\r\nhello');
      });
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const first = await exchangeText(socket, 'GET /a?b=1 HTTP/1.1\r\nHost: app.test\r\nX-Two: 2\r\n\r\n', /hello$/);
    expect(first).toBe('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello');
    expect(await exchangeText(socket, get('/2'), /hello$/)).toBe(first);
    // The mark of this process is signed with a random key (hop-mark.ts).
    expect(seen[0]?.replace(/\r\nPostern-Hop: [\w-]{8}~[\w-]{16}\r\n/, '\r\n')).toBe(
      'GET /a?b=1 HTTP/1.1\r\nHost: app.test\r\nX-Two: 2\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: app.test\r\nX-Forwarded-Proto: http\r\n\r\n',
    );
    expect(edge.agents.get('s1')?.streams).toBe(1);
    expect(edge.events.map(({ status, reason, path }) => [status, reason, path])).toEqual([
      [200, 'complete', '/a'],
      [200, 'complete', '/2'],
    ]);
    socket.destroy();
  });

  test('pipelined requests are answered in order over one stream', async () => {
    await using service = await nodeService((request, response) => {
      setTimeout(() => response.end(`<${request.url ?? ''}>`), request.url === '/1' ? 40 : 1);
    });
    await using edge = await edgeTo(service);
    const text = await edge.talk(get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
    expect(text.match(/<[^>]+>/g)).toEqual(['</1>', '</2>', '</3>']);
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(edge.agents.get('s1')?.streams).toBe(1);
  });

  test('a chunked body and its trailers pass both ways', async () => {
    const seen: string[] = [];
    await using service = await rawService((socket) => {
      socket.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString('latin1'));
        if (!seen.join('').endsWith('X-Sum: 1\r\n\r\n')) return;
        socket.write(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: 9\r\n\r\n',
        );
      });
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const request =
      'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n';
    const text = await exchangeText(socket, request, /X-End: 9\r\n\r\n$/);
    expect(text).toContain('\r\n3\r\nabc\r\n0\r\nX-End: 9\r\n\r\n');
    expect(seen.join('')).toContain('\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n');
    socket.destroy();
  });

  test('interim responses pass, and Expect is the service’s to answer', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', (head: Buffer) => {
        expect(head.toString()).toContain('Expect: 100-continue');
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', (body: Buffer) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
          socket.write(body);
        });
      });
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';
    expect(await exchangeText(socket, head, /100 Continue/)).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
    );
    expect(await exchangeText(socket, 'body', /body$/)).toContain('200 OK');
    socket.destroy();
  });

  test('HEAD keeps the length without a body, and the connection', async () => {
    await using service = await nodeService((_, response) => {
      response.setHeader('content-length', '1000');
      response.end();
    });
    await using edge = await edgeTo(service);
    const text = await edge.talk(
      'HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\nHEAD / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n',
    );
    expect(text.match(/content-length: 1000/g)).toHaveLength(2);
  });

  test('HTTP/1.0 is answered without chunks and closed', async () => {
    await using service = await nodeService((_, response) => {
      response.write('part');
      response.end('s');
    });
    await using edge = await edgeTo(service);
    const text = await edge.talk('GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain('Connection: close');
    expect(text.endsWith('\r\n\r\nparts')).toBe(true);
  });

  test('a response that ends with its connection becomes chunks', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const text = await exchangeText(socket, get('/'), /0\r\n\r\n$/);
    expect(text).toBe('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n');
    socket.destroy();
  });

  test('fields of one hop, reserved and forwarded ones are put right', async () => {
    await using service = await nodeService((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    await using edge = await edgeTo(service);
    const text = await edge.talk(
      get(
        '/',
        'Connection: close, X-Drop\r\nX-Drop: 1\r\nKeep-Alive: 3\r\nngrok-error-code: ERR_NGROK_1\r\nNgrok-Auth-User-Id: me\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Host: evil\r\nTE: trailers\r\n',
      ),
    );
    expect(jsonIn(text)).toEqual([
      'Host',
      'app.test',
      'X-Forwarded-For',
      '1.1.1.1, 192.0.2.7',
      'X-Forwarded-Host',
      'app.test',
      'X-Forwarded-Proto',
      'http',
      'Postern-Hop',
      expect.stringMatching(/^[\w-]{8}~[\w-]{16}$/),
    ]);
  });
});

describe('bodies', () => {
  test('an early 413 reaches a visitor that has 5 MB still to send', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Payload Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big');
      });
    });
    await using edge = await edgeTo(service);
    const body = Buffer.alloc(5_000_000, 120);
    const text = await edge.talk(
      Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
      /too big$/,
    );
    expect(text).toContain('413 Payload Too Large');
    expect(text).toContain('Connection: close');
  });

  test('20 MB up and down are byte exact', async () => {
    await using service = await nodeService((request, response) => {
      response.setHeader('content-length', request.headers['content-length'] ?? '0');
      request.pipe(response);
    });
    await using edge = await edgeTo(service);
    const body = Buffer.alloc(20_000_000);
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    const response = await fetch(`http://127.0.0.1:${edge.port}/`, {
      method: 'POST',
      body,
      headers: { connection: 'close' },
    });
    expect(response.status).toBe(404);
    const socket = edge.connect();
    socket.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
    socket.write(body);
    const all = await readAll(socket);
    expect(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(body)).toBe(true);
  });

  test('a stalled reader holds the service back instead of filling memory, and no other visitor', async () => {
    let sent = 0;
    await using service = await nodeService((request, response) => {
      if (request.url === '/small') {
        response.end('ok');
        return;
      }
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        do sent += chunk.length;
        while (response.write(chunk) && sent < 500_000_000);
        if (sent < 500_000_000) response.once('drain', more);
      };
      more();
    });
    await using edge = await edgeTo(service);
    const stalled = edge.connect();
    stalled.write(get('/big'));
    stalled.pause();
    // It comes to a stop of its own, however long a busy machine takes.
    const steps = [0];
    do {
      await sleep(200);
      steps.push(sent);
    } while (steps.at(-1) !== steps.at(-2) || steps.at(-1) === 0);
    expect(sent).toBeLessThan(40_000_000);
    expect(await edge.talk(get('/small', 'Connection: close\r\n'))).toContain('ok');
    stalled.destroy();
  });

  test('events arrive as they are sent', async () => {
    const events: { call: ((text: string) => void) | null } = { call: null };
    await using service = await nodeService((_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.flushHeaders();
      events.call = (text) => response.write(text);
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    await exchangeText(socket, get('/'), /\r\n\r\n$/);
    const first = exchangeText(socket, '', /data: 1\n\n/);
    events.call?.('data: 1\n\n');
    await first;
    const second = exchangeText(socket, '', /data: 2\n\n/);
    events.call?.('data: 2\n\n');
    await second;
    socket.destroy();
  });
});

describe('upgrades', () => {
  test('bytes pass both ways after 101, half-close kept', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', (head: Buffer) => {
        expect(head.toString()).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n');
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst');
        socket.on('data', (chunk: Buffer) => socket.write(chunk));
        socket.on('end', () => socket.end('bye'));
      });
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const text = await exchangeText(socket, get('/', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), /first$/);
    expect(text).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n');
    expect(await exchangeText(socket, 'ping', /ping$/)).toBe('ping');
    const rest = exchangeText(socket, '');
    socket.end();
    expect(await rest).toBe('bye');
    await expect.poll(() => edge.events.map(({ status, reason }) => [status, reason])).toEqual([[101, 'complete']]);
  });

  test('what is still on its way when the 101 comes is sent before it', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.write(`${interim}HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n`);
        socket.on('data', (chunk: Buffer) => socket.write(chunk));
      });
    });
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    const ask = get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\nExpect: 100-continue\r\n');
    expect(await exchangeText(socket, ask, /echo\r\n\r\n$/)).toContain(`${interim}HTTP/1.1 101 `);
    expect(await exchangeText(socket, 'ping', /ping$/)).toBe('ping');
    socket.destroy();
  });

  test('h2c is not offered to the service', async () => {
    await using service = await nodeService((request, response) => response.end(String(request.headers.upgrade)));
    await using edge = await edgeTo(service);
    const more = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n';
    expect(await edge.talk(get('/', more))).toContain('undefined');
  });
});

describe('connections', () => {
  test('a visitor that leaves takes the request along', async () => {
    const left = Promise.withResolvers<void>();
    await using service = await nodeService((request) => request.on('close', left.resolve));
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    socket.write(get('/'));
    await sleep(50);
    socket.destroy();
    await left.promise;
    await expect.poll(() => edge.events.length).toBe(1);
  });

  test('a half-closed visitor is still answered', async () => {
    await using service = await nodeService((_, response) => response.end('late'));
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    socket.end(get('/'));
    expect(await exchangeText(socket, '')).toContain('late');
  });

  test('one that pipelines without reading is not worked for without bound', async () => {
    await using service = await nodeService((_, response) => response.end('x'.repeat(10_000)));
    await using edge = await edgeTo(service);
    const socket = edge.connect();
    socket.pause();
    for (let count = 0; count < 2_000; count++) socket.write(get('/'));
    // However long a busy machine takes: the work comes to a stop of its own, with most requests untouched.
    let answered = 0;
    do {
      answered = edge.events.length;
      await sleep(200);
    } while (answered === 0 || edge.events.length !== answered);
    expect(answered).toBeLessThan(1_500);
    socket.destroy();
  });

  test('malformed, oversized and slow heads are told why', async () => {
    await using service = await nodeService((_, response) => response.end());
    await using edge = await edgeTo(service, { limits: { headBytes: 1_000 } });
    const bad = await edge.talk('GET / HTTP/1.1\nHost: app.test\n\n');
    expect(bad).toMatch(/^HTTP\/1\.1 400 .*Ngrok-Error-Code: ERR_NGROK_90002.*Connection: close/s);
    const big = await edge.talk(get('/', `X: ${'x'.repeat(2_000)}\r\n`));
    expect(big).toMatch(/^HTTP\/1\.1 431 .*ERR_NGROK_90003/s);
    await using hasty = await edgeTo(service, { limits: { requestHeadMs: 80 } });
    const slow = await hasty.talk('GET / HT');
    expect(slow).toMatch(/^HTTP\/1\.1 408 .*ERR_NGROK_90004/s);
    expect(await edge.talk('CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('draining answers what is under way with Connection: close, and ends idle connections', async () => {
    const waiting: ServerResponse[] = [];
    await using service = await nodeService((request, response) => {
      if (request.url === '/busy') waiting.push(response);
      else response.end('done');
    });
    await using edge = await edgeTo(service);
    const idle = edge.connect();
    await exchangeText(idle, get('/'), /done$/);
    const busy = edge.talk(get('/busy'));
    await expect.poll(() => waiting).toHaveLength(1);
    const idleEnd = exchangeText(idle, '');
    const drained = edge.service.drain();
    waiting[0]?.end('done');
    expect(await busy).toMatch(/Connection: close.*done$/s);
    expect(await idleEnd).toBe('');
    await drained;
  });
});
