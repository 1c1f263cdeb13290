import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiUnderTest, onLoopback, parsed } from './testing/api-under-test.ts';
import { API_KEY, idOf } from './testing/fake-control.ts';

const KEY = { authorization: `Bearer ${API_KEY}`, 'ngrok-version': '2' };
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function listening(overrides: Parameters<typeof createApiUnderTest>[0] = {}) {
  const under = await createApiUnderTest({ closeGraceMs: 60_000, ...overrides });
  open.push(under.api);
  const { port } = await under.api.listen(onLoopback(0));
  return { ...under, port, base: `http://127.0.0.1:${port}` };
}

/** Sends bytes as they are and reads to the end of the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('end', () => {
      socket.destroy();
      resolve(text);
    });
    socket.on('error', reject);
    socket.write(bytes);
  });
}

describe('over sockets', () => {
  it('answers what is no HTTP in the envelope', async () => {
    const { port } = await listening();
    for (const bytes of [
      'NONSENSE\r\n\r\n',
      'GET /endpoints HTTP/1.1\r\n\r\n',
      `GET /endpoints HTTP/1.1\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const reply = await raw(port, bytes);
      const [head = '', body = ''] = reply.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(head).toMatch(/ngrok-operation-id: op_\d{27}/i);
      expect(JSON.parse(body)).toMatchObject({
        error_code: 'ERR_NGROK_90073',
        status_code: 400,
        details: { operation_id: expect.stringMatching(/^op_/) },
      });
    }
  });

  it('knows no more of rare methods than of unknown paths', async () => {
    const { port } = await listening();
    const reply = await raw(port, 'PROPFIND /endpoints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1\.1 404 /);
    expect(reply).toContain('"msg":"Not Found: this server does not have PROPFIND /endpoints.');
  });

  it('reads a chunked body, waits for Expect, and refuses what is no UTF-8', async () => {
    const { port, base, calls } = await listening();
    const head =
      `POST /bot_users HTTP/1.1\r\nHost: a\r\nNgrok-Version: 2\r\nAuthorization: Bearer ${API_KEY}\r\n` +
      'Content-Type: Application/JSON;charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n';
    const reply = await raw(port, `${head}Expect: 100-continue\r\n\r\n8\r\n{"name":\r\n5\r\n"ci"}\r\n0\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
    expect(calls.at(-1)).toEqual({ name: 'botUsers.create', input: { name: 'ci' } });
    const latin1 = await fetch(`${base}/bot_users`, {
      method: 'POST',
      headers: { ...KEY, 'content-type': 'application/json' },
      body: Buffer.from('{"name":"\u00e9"}', 'latin1'),
    });
    expect(parsed(await latin1.text())).toMatchObject({
      error_code: 'ERR_NGROK_213',
      msg: expect.stringContaining('UTF-8'),
    });
  });

  it('does not need a content type or a body where none is used', async () => {
    const { base } = await listening();
    const stop = `${base}/tunnel_sessions/${idOf('ts', 1)}/stop`;
    expect((await fetch(stop, { method: 'POST', headers: KEY })).status).toBe(204);
    const text = { method: 'POST', headers: { ...KEY, 'content-type': 'application/json' }, body: 'ts_1' };
    expect((await fetch(stop, text)).status).toBe(204);
    const listed = await fetch(`${base}/endpoints`, { headers: { ...KEY, 'content-type': 'application/json' } });
    expect(listed.status).toBe(200);
    expect(listed.headers.get('ngrok-operation-id')).toMatch(/^op_/);
  });

  it('refuses a large body in the envelope, whatever its framing, and goes on', async () => {
    const { base } = await listening();
    const large = new Uint8Array(3 * 1024 * 1024).fill(0x20);
    const headers = { ...KEY, 'content-type': 'application/json' };
    const sized = await fetch(`${base}/endpoints`, { method: 'POST', headers, body: large });
    expect([sized.status, parsed(await sized.text())['error_code']]).toEqual([413, 'ERR_NGROK_90074']);
    const streaming: RequestInit & { readonly duplex: 'half' } = {
      method: 'POST',
      headers,
      body: new Blob([large]).stream(),
      duplex: 'half',
    };
    const streamed = await fetch(`${base}/endpoints`, streaming);
    expect(streamed.status).toBe(413);
    await streamed.text();
    // Refused before its body is looked at.
    const stranger = await fetch(`${base}/endpoints`, { method: 'POST', body: large });
    expect(stranger.status).toBe(403);
    await stranger.text();
    expect((await fetch(`${base}/endpoints`, { headers: KEY })).status).toBe(200);
  });

  it('outlives a client that leaves in the middle of its body', async () => {
    const { port, base, logged } = await listening();
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.write(
          'POST /endpoints HTTP/1.1\r\nHost: a\r\nNgrok-Version: 2\r\nContent-Type: application/json\r\n' +
            `Authorization: Bearer ${API_KEY}\r\nContent-Length: 100\r\n\r\n{"url"`,
          () => socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    expect((await fetch(`${base}/endpoints`, { headers: KEY })).status).toBe(200);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('close waits for calls in flight and refuses new connections', async () => {
    const gate = Promise.withResolvers<void>();
    const inside = Promise.withResolvers<void>();
    const { api, base, control } = await listening();
    control.apiKeys.list = async () => {
      inside.resolve();
      await gate.promise;
      return { items: [], more: false };
    };
    const inFlight = fetch(`${base}/api_keys`, { headers: KEY });
    await inside.promise;
    let closed = false;
    const closing = api.close().then(() => (closed = true));
    await expect(fetch(`${base}/api_keys`, { headers: KEY })).rejects.toThrow();
    expect(closed).toBe(false);
    gate.resolve();
    const reply = await inFlight;
    expect(reply.status).toBe(200);
    await reply.text();
    await closing;
  });

  it('close does not wait for connections that ask nothing', async () => {
    const { api, port, base } = await listening({ closeGraceMs: 3_600_000 });
    const silent = connect({ host: '127.0.0.1', port });
    await new Promise<void>((resolve) => silent.once('connect', () => resolve()));
    await (await fetch(`${base}/endpoints`, { headers: KEY })).text();
    // Its grace would outlast the test.
    await api.close();
    silent.destroy();
  });

  it('close does nothing that it could not answer: a call behind the end of its connection', async () => {
    const gate = Promise.withResolvers<void>();
    const inside = Promise.withResolvers<void>();
    const { api, port, base, control } = await listening();
    control.apiKeys.list = async () => {
      inside.resolve();
      await gate.promise;
      return { items: [], more: false };
    };
    let created = 0;
    control.apiKeys.create = () => {
      created += 1;
      return Promise.reject(new Error('it was called'));
    };
    const inFlight = fetch(`${base}/api_keys`, { headers: KEY });
    await inside.promise;
    const kept = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(kept, 'connect');
    kept.on('error', () => undefined);
    // It has been used before, so that it is accepted and waits.
    kept.write(`GET /tunnels HTTP/1.1\r\nHost: a\r\nNgrok-Version: 2\r\nAuthorization: Bearer ${API_KEY}\r\n\r\n`);
    await once(kept, 'data');
    const closing = api.close();
    kept.resume();
    await once(kept, 'end');
    const body = '{"description":"twice"}';
    kept.write(
      'POST /api_keys HTTP/1.1\r\nHost: a\r\nNgrok-Version: 2\r\nContent-Type: application/json\r\n' +
        `Authorization: Bearer ${API_KEY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    gate.resolve();
    expect((await inFlight).status).toBe(200);
    await closing;
    expect(created).toBe(0);
    kept.destroy();
  });

  it('close cuts what does not end in time', async () => {
    const { api, base, control } = await listening({ closeGraceMs: 50 });
    control.apiKeys.list = () => new Promise(() => undefined);
    const stuck = fetch(`${base}/api_keys`, { headers: KEY }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await api.close();
    expect(await stuck).toBeInstanceOf(TypeError);
  });

  it('serves several addresses, and servers that others made', async () => {
    const { api, port } = await listening();
    const second = await api.listen(onLoopback(0));
    expect(second.port).not.toBe(port);
    const own = createServer();
    api.attach(own);
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    const address = own.address();
    const ports = [second.port, typeof address === 'object' && address !== null ? address.port : 0];
    for (const each of ports) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await fetch(`http://127.0.0.1:${each}/tunnels`, { headers: KEY })).status).toBe(200);
    }
    await expect(api.listen(onLoopback(port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('CORS', () => {
  const preflight = {
    origin: 'https://app.example.com',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,ngrok-version',
    authorization: '',
  };

  const marks = ['access-control-allow-origin', 'access-control-allow-credentials'] as const;
  const marksOf = ({ headers }: { headers: Readonly<Record<string, unknown>> }): readonly unknown[] =>
    marks.map((name) => headers[name]);

  it('lets no page of another origin in by default', async () => {
    const { ask } = await createApiUnderTest();
    const target = { headers: { origin: preflight.origin } };
    expect(marksOf(await ask('OPTIONS /endpoints', { headers: preflight }))).toEqual([undefined, undefined]);
    expect(marksOf(await ask('GET /endpoints', target))).toEqual([undefined, undefined]);
    expect(marksOf(await ask('GET /endpoints', { headers: { origin: 'null' } }))).toEqual([undefined, undefined]);
  });

  it('answers a preflight of a listed origin without a key, and marks the answers', async () => {
    const { ask } = await createApiUnderTest({ corsOrigins: ['https://app.example.com', 'https://dash.example.com'] });
    const reply = await ask('OPTIONS /endpoints', { headers: preflight });
    expect([reply.status, reply.text]).toEqual([204, '']);
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization,ngrok-version',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    const one = await ask(`OPTIONS /endpoints/${idOf('ep', 1)}`, { headers: preflight });
    expect(one.headers['access-control-allow-methods']).toBe('GET, PATCH, DELETE');
    for (const target of ['GET /endpoints', 'GET /endpoints/nope', 'GET /nothing']) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await ask(target, { headers: { origin: preflight.origin } });
      expect(marksOf(answer)).toEqual([preflight.origin, 'true']);
    }
    expect(marksOf(await ask('GET /endpoints'))).toEqual([undefined, undefined]);
    const stranger = { ...preflight, origin: 'https://app.example.com.evil.test' };
    expect(marksOf(await ask('OPTIONS /endpoints', { headers: stranger }))).toEqual([undefined, undefined]);
  });

  it('gives any page the answer where * is listed, but never with credentials', async () => {
    const { ask } = await createApiUnderTest({ corsOrigins: ['*', 'https://dash.example.com'] });
    expect(marksOf(await ask('OPTIONS /endpoints', { headers: preflight }))).toEqual(['*', undefined]);
    expect(marksOf(await ask('GET /endpoints', { headers: { origin: 'null' } }))).toEqual(['*', undefined]);
    const friend = { headers: { origin: 'https://dash.example.com' } };
    expect(marksOf(await ask('GET /endpoints', friend))).toEqual(['https://dash.example.com', 'true']);
  });
});
