/** The policy action http-request, from outside: a visitor's socket, the edge, and real services that it asks. */
import { get as getHttp, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { compilePolicy, type CompiledPolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { freePort } from '../testing/free-port.ts';
import { dial, get, harness, type Harness, jsonIn } from '../testing/http-harness.ts';
import { listening, nodeService, rawService, type Service } from '../testing/services.ts';

const CLOSE = 'Connection: close\r\n';
const AGENT = { protocol: 'http', binding: 'public', kind: 'agent' } as const;
const RESULT = 'actions.ngrok.http_request';
const ERROR = `\${${RESULT}.error.code}`;
const BODY = `\${${RESULT}.res.body}`;
const ALL = `${ERROR}|\${${RESULT}.res.status_code}|${BODY}`;

const call = (config: object = {}): object => ({
  type: 'http-request',
  config: { url: 'https://called.internal/check', ...config },
});
const show = (body: string): object => ({
  type: 'custom-response',
  config: { body, headers: { 'content-type': 'text/plain' } },
});
const request = (...actions: object[]): CompiledPolicy => compilePolicy({ on_http_request: [{ actions }] }, AGENT);
const asks = (config: object = {}, body = ALL): CompiledPolicy => request(call(config), show(body));

interface Options {
  readonly called?: CompiledPolicy;
  readonly protocol?: 'http1' | 'http2';
  readonly http2?: boolean;
  readonly app?: RequestListener;
}

interface Setup extends AsyncDisposable {
  readonly edge: Harness;
  /** At the agent of the called service. */
  readonly streams: () => number;
}

/** app.test has `policy`; called.internal is a real service. */
async function setup(policy: CompiledPolicy, called: RequestListener | Service, options: Options = {}): Promise<Setup> {
  const protocol = options.protocol ?? 'http1';
  const service = 'port' in called ? called : await serviceOf(called, protocol);
  const app = await nodeService(options.app ?? ((_, response) => void response.end('from the app')));
  const edge = await harness({
    agents: { s1: dial(app.port), s2: dial(service.port) },
    policies: { p: policy, ...(options.called === undefined ? {} : { q: options.called }) },
    http2: options.http2 ?? false,
  });
  edge.publish(
    endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }),
    endpoint('ep_2', 'https', 'called.internal', {
      binding: 'internal',
      upstreams: [upstream('s2', 't2', { protocol })],
      ...(options.called === undefined ? {} : { policy: 'q' }),
    }),
  );
  return {
    edge,
    streams: () => edge.agents.get('s2')?.server.streamCount ?? -1,
    async [Symbol.asyncDispose]() {
      await edge.close();
      await service[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

function serviceOf(listener: RequestListener, protocol: 'http1' | 'http2'): Promise<Service> {
  if (protocol === 'http1') return nodeService(listener);
  // The runtime's own likeness of the older interface.
  return listening(createHttp2((asked, answer) => Reflect.apply(listener, null, [asked, answer])));
}

const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const ask = async (at: Setup, more = ''): Promise<string> => bodyOf(await at.edge.talk(get('/', more + CLOSE)));

describe('http-request', () => {
  test('asks an internal endpoint, which sees for whom', async () => {
    const config = {
      url: 'https://called.internal/check?a=%20b',
      query_params: [{ key: 'who', value: '${conn.client_ip} & co' }],
      headers: {
        'X-Mine': '${req.method}',
        'x-forwarded-for': '9.9.9.9',
        'ngrok-req-type': 'other',
        'user-agent': 'me',
      },
    };
    const echo: RequestListener = ({ method, url, headers }, response) => {
      response.end(JSON.stringify({ method, url, headers }));
    };
    await using at = await setup(asks(config, BODY), echo);
    expect(jsonIn(await ask(at, 'X-Forwarded-For: 8.8.8.8\r\n'))).toMatchObject({
      method: 'GET',
      url: '/check?a=%20b&who=192.0.2.7%20%26%20co',
      headers: {
        host: 'called.internal',
        'x-mine': 'GET',
        'x-forwarded-for': '192.0.2.7',
        'x-forwarded-proto': 'https',
        'ngrok-req-type': 'http-request',
        'ngrok-req-id': expect.stringMatching(/^[\da-f-]{36}$/),
        'user-agent': 'Postern',
      },
    });
    await expect.poll(at.streams).toBe(0);
    const seen = at.edge.events.map(({ endpointId, status, reason }) => [endpointId, status, reason]);
    expect(seen).toEqual([
      ['ep_2', 200, 'complete'],
      ['ep_1', 200, 'complete'],
    ]);
  });

  test.each(['http1', 'http2'] as const)(
    'sends a body to a service of %s; the visitor’s own goes on',
    async (protocol) => {
      const policy = request(call({ method: 'POST', body: 'for ${req.url.path}' }), {
        type: 'add-headers',
        config: { headers: { 'x-verdict': BODY } },
      });
      const echo: RequestListener = (asked, response) => {
        void textOf(asked).then((body) => response.end(`${asked.method ?? ''} ${body}`));
      };
      const app: RequestListener = (asked, response) => {
        void textOf(asked).then((body) => response.end(`${body}, ${String(asked.headers['x-verdict'])}`));
      };
      await using at = await setup(policy, echo, { protocol, app });
      const own = 'POST /a HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello';
      expect(bodyOf(await at.edge.talk(own))).toContain('hello, POST for /a');
      await expect.poll(at.streams).toBe(0);
    },
  );

  test('decodes answers, and counts what comes out', async () => {
    const bodies: Readonly<Record<string, Buffer>> = {
      gzip: gzipSync('one'),
      br: brotliCompressSync('two'),
      'deflate, gzip': gzipSync(deflateSync('three')),
      'x-unknown': Buffer.from('four'),
    };
    const policy = asks({ url: "https://called.internal/${getQueryParam('as')[0]}" });
    await using at = await setup(policy, ({ url }, response) => {
      const coding = decodeURIComponent(url?.slice(1) ?? '');
      const bomb = coding.endsWith('bomb');
      response.setHeader('content-encoding', bomb ? 'gzip' : coding);
      response.end(bomb ? gzipSync(Buffer.alloc(8 << 20)) : (bodies[coding] ?? 'not that'));
    });
    const shown = async (as: string): Promise<string> =>
      bodyOf(await at.edge.talk(get(`/?as=${encodeURIComponent(as)}`, CLOSE)));
    expect(await shown('gzip')).toBe('|200|one');
    expect(await shown('br')).toBe('|200|two');
    expect(await shown('deflate, gzip')).toBe('|200|three');
    expect(await shown('x-unknown')).toBe('|200|four');
    expect(await shown('x-gzip')).toBe('ERR_NGROK_3004|0|');
    expect(await shown('bomb')).toBe('ERR_NGROK_3601|0|');
    await expect.poll(at.streams).toBe(0);
  });

  test.each(['http1', 'http2'] as const)('ends answers of a service of %s that grow too large', async (protocol) => {
    let ends = 0;
    const endless: RequestListener = (_, response) => {
      const more = setInterval(() => response.write(Buffer.alloc(50_000)), 1);
      response.on('close', () => {
        clearInterval(more);
        ends++;
      });
    };
    await using at = await setup(asks(), endless, { protocol });
    expect(await ask(at)).toBe('ERR_NGROK_3601|0|');
    await expect.poll(() => [ends, at.streams()]).toEqual([1, 0]);
  });

  test('goes on without an answer, or halts with a page', async () => {
    const silent: RequestListener = () => {};
    await using slow = await setup(asks({ timeout: '1s' }), silent);
    expect(await ask(slow)).toBe('ERR_NGROK_3602|0|');
    await expect.poll(slow.streams).toBe(0);
    await using halting = await setup(asks({ timeout: '1s', on_error: 'halt' }), silent);
    expect(await halting.edge.talk(get('/', CLOSE))).toMatch(/^HTTP\/1\.1 504 [^]*ERR_NGROK_3602/);
    await using nowhere = await setup(asks({ url: 'https://other.internal/' }), silent);
    expect(await ask(nowhere)).toBe('ERR_NGROK_3200|0|');
    await using away = await setup(asks(), silent);
    away.edge.agents.get('s2')?.lose();
    expect(await ask(away)).toBe('ERR_NGROK_3210|0|');
    const outside = asks({ url: 'http://${getReqHeader("x-to")[0]}/' });
    await using refused = await setup(outside, silent);
    expect(await ask(refused, 'X-To: 169.254.169.254\r\n')).toBe('ERR_NGROK_2226|0|');
  });

  test('says when the service cannot be reached, or is none', async () => {
    // Not one that a server had: the system may give that to the next one, which would answer.
    const unreachable: Service = { port: await freePort(), [Symbol.asyncDispose]: async () => {} };
    await using at = await setup(asks(), unreachable);
    expect(await ask(at)).toBe('ERR_NGROK_8012|0|');
    const says = (text: string): Promise<Service> =>
      rawService((socket) =>
        socket
          .on('error', () => {})
          .once('data', () => socket.end(text))
          .resume(),
      );
    await using broken = await setup(asks(), await says('this is no HTTP\r\n\r\n'));
    expect(await ask(broken)).toBe('ERR_NGROK_3004|0|');
    await using cut = await setup(asks(), await says('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    expect(await ask(cut)).toBe('ERR_NGROK_3004|0|');
  });

  test('passes the rules of the called endpoint', async () => {
    const deny = request({ type: 'deny', config: { status_code: 451 } });
    await using denied = await setup(asks(), () => {}, { called: deny });
    expect(await ask(denied)).toBe('|451|');
    const own = request(show("for ${req.headers['x-forwarded-for'][0]} at ${req.url.path}"));
    await using answered = await setup(asks(), () => {}, { called: own });
    expect(await ask(answered)).toBe('|200|for 192.0.2.7 at /check');
    await using closed = await setup(asks(), () => {}, { called: request({ type: 'close-connection' }) });
    expect(await ask(closed)).toBe('ERR_NGROK_3004|0|');
  });

  test('ends where policies call each other', async () => {
    await using at = await setup(asks({}, ERROR + BODY), () => {}, { called: asks({}, ERROR + BODY) });
    expect(await ask(at)).toBe('ERR_NGROK_3603');
    expect(at.edge.events.map(({ endpointId }) => endpointId)).toEqual(['ep_2', 'ep_2', 'ep_2', 'ep_1']);
    // They are paid for by the one request: fifty calls in all.
    const many = request(...Array.from({ length: 16 }, () => call()), show('done'));
    await using tree = await setup(many, () => {}, { called: many });
    expect(await tree.edge.talk(get('/', CLOSE))).toMatch(/^HTTP\/1\.1 500 [^]*ERR_NGROK_90034/);
    expect(tree.edge.events.length).toBeLessThan(52);
  });

  test('ends a circle through the called service', async () => {
    let port = 0;
    const relay: RequestListener = (asked, response) => {
      const mark = { 'postern-hop': String(asked.headers['postern-hop']), host: 'app.test' };
      getHttp({ port, host: '127.0.0.1', headers: mark, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
    };
    await using at = await setup(asks(), relay);
    ({ port } = at.edge);
    expect(await ask(at)).toBe('ERR_NGROK_90013|0|');
  });

  test('is over when the visitor leaves', async () => {
    const sockets: Socket[] = [];
    let ended = 0;
    const service = await rawService((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('end', () => socket.end());
      socket.on('close', () => ended++);
    });
    // The further call is not made for nobody.
    await using at = await setup(request(call({ timeout: '30s' }), call({ timeout: '30s' })), service);
    const visitor = at.edge.connect();
    visitor.write(get('/'));
    await expect.poll(() => sockets.length).toBe(1);
    visitor.resetAndDestroy();
    await expect.poll(() => [ended, at.streams()]).toEqual([1, 0]);
    expect(sockets.length).toBe(1);
    expect(at.edge.events.map(({ reason }) => reason)).toEqual(['client-gone', 'client-gone']);
  });

  test('runs over answers, too', async () => {
    const policy = compilePolicy(
      {
        on_http_response: [
          {
            actions: [
              call({ url: 'https://called.internal/${res.status_code}' }),
              { type: 'add-headers', config: { headers: { 'x-verdict': BODY } } },
            ],
          },
        ],
      },
      AGENT,
    );
    await using at = await setup(policy, ({ url }, response) => void response.end(`seen ${url ?? ''}`));
    const answer = await at.edge.talk(get('/', CLOSE));
    expect(answer).toMatch(/\r\nx-verdict: seen \/200\r\n/);
    expect(bodyOf(answer)).toContain('from the app');
  });

  test('serves visitors of HTTP/2, and ends when one resets its stream', async () => {
    let asked = 0;
    let closed = 0;
    const called: RequestListener = ({ url }, response) => {
      asked++;
      response.on('close', () => closed++);
      if (url === '/now') response.end('yes');
    };
    const policy = asks({ url: 'https://called.internal${req.url.path}', timeout: '30s' });
    await using at = await setup(policy, called, { http2: true });
    const session = connectHttp2(`http://127.0.0.1:${at.edge.port}`);
    const now = session.request({ ':path': '/now', ':authority': 'app.test' });
    expect(await textOf(now)).toBe('|200|yes');
    const never = session.request({ ':path': '/never', ':authority': 'app.test' });
    never.on('error', () => {});
    await expect.poll(() => asked).toBe(2);
    never.close(8);
    await expect.poll(() => [closed, at.streams()]).toEqual([2, 0]);
    session.destroy();
  });

  test('waits its turn: so many at once for an endpoint', async () => {
    let running = 0;
    let most = 0;
    const crowded = Promise.withResolvers<void>();
    const slow: RequestListener = (_, response) => {
      most = Math.max(most, ++running);
      // However slowly they come on a busy machine.
      if (running > 8) crowded.resolve();
      const answer = (): void => {
        running--;
        response.end('ok');
      };
      void crowded.promise.then(() => setTimeout(answer, 100));
    };
    await using at = await setup(asks({ timeout: '30s' }), slow);
    const answers = await Promise.all(Array.from({ length: 80 }, () => ask(at)));
    expect(new Set(answers)).toEqual(new Set(['|200|ok']));
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(32);
    await expect.poll(at.streams).toBe(0);
  });

  test('leads redirects to internal endpoints only', async () => {
    const go: RequestListener = ({ method, url }, response) => {
      const location = url === '/check' ? '/second?x' : url === '/out' ? 'http://169.254.169.254/latest' : null;
      if (location === null) response.end(`${method ?? ''} ${url ?? ''}`);
      else response.writeHead(302, { location }).end();
    };
    await using at = await setup(asks({ method: 'POST', body: 'x', max_redirects: 1 }), go);
    expect(await ask(at)).toBe('|200|GET /second?x');
    await using none = await setup(asks(), go);
    expect(await ask(none)).toBe('ERR_NGROK_3214|0|');
    await using out = await setup(asks({ url: 'https://called.internal/out', max_redirects: 9 }), go);
    expect(await ask(out)).toBe('ERR_NGROK_2226|0|');
  });

  test('asks again while its condition holds', async () => {
    let tries = 0;
    const third: RequestListener = (_, response) => {
      response.statusCode = ++tries < 3 ? 503 : 200;
      response.end(String(tries));
    };
    const retry = { retry_condition: 'last_attempt.res.statusCode >= 500 && attempts < 4' };
    await using at = await setup(asks(retry, `\${size(${RESULT}.attempts)}|${BODY}`), third);
    expect(await ask(at)).toBe('3|3');
  });
});
