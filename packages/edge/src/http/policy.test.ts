import { gunzipSync } from 'node:zlib';
import { fail } from '@postern/errors';
import {
  REQUEST_BUDGET,
  type CompiledPhase,
  type CompiledPolicy,
  type InternalAddress,
  type Outcome,
  type PhaseName,
  type PolicyContext,
} from '@postern/policy';
import { describe, expect, test } from 'vitest';
import type { LiveEndpoint } from '../context.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { chunksOf, dial, exchangeText, get, harness, sleep } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

type Step = (context: PolicyContext) => Outcome | Promise<Outcome>;
const CONTINUE: Outcome = { kind: 'continue' };

/** A phase that runs `steps`; after a forward that failed, the one behind it. */
function phase(name: PhaseName, ...steps: Step[]): CompiledPhase {
  return {
    name,
    start(context) {
      let at = 0;
      const next = (): Outcome | Promise<Outcome> => steps[at++]?.(context) ?? CONTINUE;
      return { next, forwardFailed: next };
    },
  };
}

function policy(parts: { connect?: Step[]; request?: Step[]; response?: Step[] }): CompiledPolicy {
  const make = (name: PhaseName, steps: Step[] | undefined): CompiledPhase | null =>
    steps === undefined ? null : phase(name, ...steps);
  return {
    onTcpConnect: make('on_tcp_connect', parts.connect),
    onEventStreamMessage: null,
    onHttpRequest: make('on_http_request', parts.request),
    onHttpResponse: make('on_http_response', parts.response),
  };
}

const mark =
  (name: string): Step =>
  ({ res }) => {
    res?.headers.append('X-Order', name);
    return CONTINUE;
  };
const to =
  (onError: 'halt' | 'continue'): Step =>
  () => ({ kind: 'forward', to: address('off.internal'), onError });
const address = (host: string): InternalAddress => ({ scheme: 'https', host, port: 443, url: `https://${host}` });
const respond = (status: number, text: string): Outcome => ({
  kind: 'respond',
  status,
  headers: [['content-type', 'text/plain']],
  body: Buffer.from(text),
});
const close = 'Connection: close\r\n';
const cloud = (policyName: string) => endpoint('ep_1', 'http', 'app.test', { kind: 'cloud', policy: policyName });
const internal = (id: string, host: string, change: object = {}) =>
  endpoint(id, 'https', host, { binding: 'internal', ...change });

describe('policies', () => {
  test('answer by themselves; the response phase still runs', async () => {
    const answering = policy({
      request: [({ req }) => respond(418, `${req?.method ?? ''} ${req?.target ?? ''} ${req?.authority ?? ''}`)],
      response: [
        ({ res }) => {
          res?.headers.append('X-Seen', String(res.statusCode));
          return CONTINUE;
        },
      ],
    });
    await using edge = await harness({ policies: { p: answering } });
    edge.publish(cloud('p'));
    const socket = edge.connect();
    const text = await exchangeText(socket, get('/a?b'), /GET \/a\?b app\.test$/);
    expect(text).toMatch(/^HTTP\/1\.1 418 I'm a Teapot\r\n/i);
    expect(text).toContain('X-Seen: 418\r\n');
    expect(text).toMatch(/\r\nDate: \w{3}, /);
    // The connection goes on.
    expect(await exchangeText(socket, get('/2'), /app\.test$/)).toContain('418');
    // With a small body unread too.
    const post = 'POST /3 HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody';
    expect(await exchangeText(socket, post + get('/4'), /GET \/4 app\.test$/)).toContain('POST /3');
    socket.destroy();
  });

  // RFC 9110 §8.6: none with 204, and with 304 the length of what is not sent.
  test.each([204, 304])('answer %i without a Content-Length', async (status) => {
    const answering = policy({ request: [() => ({ kind: 'respond', status, headers: [], body: Buffer.alloc(0) })] });
    const changing = policy({
      request: [() => ({ kind: 'respond', status, headers: [], body: Buffer.alloc(0) })],
      response: [mark('seen')],
    });
    await using edge = await harness({ policies: { p: answering, q: changing } });
    edge.publish(cloud('p'), endpoint('ep_2', 'http', 'other.test', { kind: 'cloud', policy: 'q' }));
    const socket = edge.connect();
    const text = await exchangeText(socket, get('/') + get('/'), /\r\n\r\nHTTP\/1\.1 [^]*\r\n\r\n$/);
    expect(text.match(new RegExp(`HTTP/1\\.1 ${status} `, 'g'))).toHaveLength(2);
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
    socket.destroy();
    const changed = await edge.talk(get('/', close).replace('app.test', 'other.test'));
    expect(changed).toContain('X-Order: seen');
    expect(changed).not.toMatch(/content-length|transfer-encoding/i);
  });

  test('of cloud endpoints that answer nothing are reported', async () => {
    await using edge = await harness({ policies: { p: policy({ request: [] }) } });
    edge.publish(cloud('p'));
    expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 500 .*ERR_NGROK_6029/s);
  });

  test('change what the service gets, and the Location that it sends back', async () => {
    await using service = await nodeService((request, response) => {
      response.setHeader('location', `http://${request.headers.host ?? ''}/next`);
      response.end(JSON.stringify(request.headers));
    });
    const rewriting = policy({
      request: [
        ({ req }) => {
          req?.headers.set('host', 'inner.example');
          req?.headers.set('x-multi', 'a\r\nInjected: yes');
          req?.headers.append('x-wide', 'snow \u2603');
          req?.headers.delete('x-forwarded-for');
          return CONTINUE;
        },
      ],
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { p: rewriting } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
    const text = await edge.talk(get('/', close));
    expect(text).toContain('location: http://app.test/next');
    expect(text).toContain('"host":"inner.example"');
    expect(text).toContain('"x-multi":"a  Injected: yes"');
    expect(text).not.toContain('x-forwarded-for');
  });

  test('that wait hold the body, and are dropped when the visitor leaves', async () => {
    const waits: { call: ((outcome: Outcome) => void) | null } = { call: null };
    const waiting = policy({
      request: [() => new Promise<Outcome>((resolve) => (waits.call = resolve))],
      response: [() => sleep(20).then(() => CONTINUE)],
    });
    await using service = await nodeService((request, response) => request.pipe(response));
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { p: waiting } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
    const answer = edge.talk(
      'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    );
    await sleep(30);
    expect(edge.agents.get('s1')?.streams).toBe(0);
    waits.call?.(CONTINUE);
    expect(await answer).toMatch(/hello/);
    const socket = edge.connect();
    socket.write(get('/'));
    await sleep(30);
    socket.destroy();
    await expect.poll(() => edge.events.at(-1)?.reason).toBe('client-gone');
    waits.call?.(CONTINUE);
    await sleep(10);
    expect(edge.agents.get('s1')?.streams).toBe(1);
  });

  test('replace a response, as pages do', async () => {
    await using service = await nodeService((_, response) => response.end('x'.repeat(500_000)));
    const replacing = policy({ response: [() => respond(503, 'instead')] });
    const failing = policy({
      request: [() => ({ kind: 'error', error: fail(3200, { url: '<b>' }), headers: [['x-extra', '1']] })],
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { replacing, failing } });
    const upstreams = [upstream('s1', 't1')];
    edge.publish(
      endpoint('ep_1', 'http', 'app.test', { policy: 'replacing', upstreams }),
      endpoint('ep_2', 'http', 'page.test', { policy: 'failing', upstreams }),
    );
    expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 503 .*instead$/s);
    const page = await edge.talk('GET / HTTP/1.1\r\nHost: page.test\r\nAccept: text/html\r\nConnection: close\r\n\r\n');
    expect(page).toMatch(/^HTTP\/1\.1 404 .*text\/html.*Ngrok-Error-Code: ERR_NGROK_3200.*x-extra: 1.*&lt;b&gt;/s);
  });

  test('close without an answer', async () => {
    await using edge = await harness({ policies: { p: policy({ request: [() => ({ kind: 'close' })] }) } });
    edge.publish(cloud('p'));
    expect(await edge.talk(get('/'))).toBe('');
    expect(edge.events[0]?.reason).toBe('policy-close');
  });

  test('compress what streams, piece by piece', async () => {
    const came = Promise.withResolvers<void>();
    await using service = await nodeService((_, response) => {
      response.write('one ');
      void came.promise.then(() => response.end('two'));
    });
    const packing = policy({
      response: [
        ({ res }) => {
          res?.headers.set('content-encoding', 'gzip');
          res?.encodeBody('gzip');
          return CONTINUE;
        },
      ],
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { p: packing } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
    // Behind a time of its own the second piece may come with the first on a busy machine, and be packed with it.
    const socket = edge.connect();
    const first = await exchangeText(socket, get('/', close), /\r\n\r\n[\da-f]+\r\n/i);
    came.resolve();
    const chunks = chunksOf(first + (await exchangeText(socket, '')));
    expect(chunks.length).toBeGreaterThan(1);
    const packed = Buffer.from(chunks.join(''), 'latin1');
    expect(gunzipSync(packed).toString()).toBe('one two');
  });
});

describe('forwards', () => {
  test('run the policies of both, the outer response phase last, and keep the host', async () => {
    await using service = await nodeService((request, response) => response.end(request.headers.host));
    const outer = policy({
      request: [() => ({ kind: 'forward', to: address('in.internal'), onError: 'halt' })],
      response: [mark('outer')],
    });
    const inner = policy({ request: [], response: [mark('inner')] });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { outer, inner } });
    edge.publish(
      cloud('outer'),
      internal('ep_2', 'in.internal', { policy: 'inner', upstreams: [upstream('s1', 't1')] }),
    );
    const text = await edge.talk(get('/', close));
    expect(text).toMatch(/X-Order: inner\r\nX-Order: outer\r\n/);
    expect(text).toMatch(/app\.test/);
    expect(edge.agents.get('s1')?.purposes[0]).toMatchObject({ proto: 'https', edgeType: '0' });
    expect(edge.events[0]?.endpointId).toBe('ep_1');
  });

  test('leave to the rules behind them what the rules before did not spend', async () => {
    await using service = await nodeService((_, response) => response.end('hello'));
    const seen: number[] = [];
    const spend: Step = ({ work }) => {
      seen.push(work.unitsLeft);
      work.unitsLeft -= 1_000;
      return CONTINUE;
    };
    const outer = policy({
      connect: [spend],
      request: [
        (context) => {
          void spend(context);
          return { kind: 'forward', to: address('in.internal'), onError: 'halt' };
        },
      ],
      response: [spend],
    });
    const inner = policy({ request: [spend], response: [spend] });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { outer, inner } });
    edge.publish(
      cloud('outer'),
      internal('ep_2', 'in.internal', { policy: 'inner', upstreams: [upstream('s1', 't1')] }),
    );
    for (let asked = 0; asked < 2; asked++) {
      expect(await edge.talk(get('/', close))).toMatch(/hello/);
      expect(seen.splice(0).map((left) => REQUEST_BUDGET - left)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    }
  });

  test('that fail are answered, or continued behind the action', async () => {
    const halting = policy({ request: [to('halt'), () => respond(200, 'not reached')] });
    const continuing = policy({ request: [to('continue'), () => respond(200, 'spare')] });
    const dialling = policy({
      request: [
        () => ({ kind: 'forward', to: address('dead.internal'), onError: 'continue' }),
        () => respond(200, 'spare too'),
      ],
    });
    await using edge = await harness({
      agents: { s1: dial(1) },
      policies: { halting, continuing, dialling },
    });
    edge.publish(
      endpoint('ep_1', 'http', 'halt.test', { kind: 'cloud', policy: 'halting' }),
      endpoint('ep_2', 'http', 'go.test', { kind: 'cloud', policy: 'continuing' }),
      endpoint('ep_3', 'http', 'dial.test', { kind: 'cloud', policy: 'dialling' }),
      internal('ep_4', 'dead.internal', { upstreams: [upstream('s1', 't1')] }),
    );
    const at = (host: string): Promise<string> => edge.talk(`GET / HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n`);
    expect(await at('halt.test')).toMatch(/^HTTP\/1\.1 404 .*ERR_NGROK_3200.*off\.internal/s);
    expect(await at('go.test')).toMatch(/200 OK.*spare$/s);
    expect(await at('dial.test')).toMatch(/200 OK.*spare too$/s);
  });

  test('in a circle end after eight', async () => {
    const looping = policy({ request: [() => ({ kind: 'forward', to: address('loop.internal'), onError: 'halt' })] });
    await using edge = await harness({ policies: { p: looping } });
    edge.publish(cloud('p'), internal('ep_2', 'loop.internal', { kind: 'cloud', policy: 'p' }));
    expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3501/s);
  });
});

describe('connection rules', () => {
  test('of a plain endpoint run once for each connection, at its first request', async () => {
    let runs = 0;
    const letting = policy({
      connect: [() => (runs++, CONTINUE)],
      request: [() => respond(200, 'in')],
    });
    const refusing = policy({ connect: [() => ({ kind: 'close' })], request: [() => respond(200, 'in')] });
    await using edge = await harness({ policies: { letting, refusing } });
    edge.publish(
      endpoint('ep_1', 'http', 'app.test', { kind: 'cloud', policy: 'letting' }),
      endpoint('ep_2', 'http', 'no.test', { kind: 'cloud', policy: 'refusing' }),
    );
    const socket = edge.connect();
    await exchangeText(socket, get('/'), /in$/);
    await exchangeText(socket, get('/'), /in$/);
    expect(runs).toBe(1);
    expect(await exchangeText(socket, 'GET / HTTP/1.1\r\nHost: no.test\r\n\r\n')).toBe('');
  });

  test('and response rules that come to what none of theirs may are a fault, and let nobody through', async () => {
    const onward: Step = () => ({ kind: 'forward', to: address('in.internal'), onError: 'halt' });
    const policies = {
      answering: policy({ connect: [() => respond(200, 'in')], request: [() => respond(200, 'in')] }),
      leading: policy({ connect: [onward], request: [() => respond(200, 'in')] }),
      late: policy({ request: [() => respond(200, 'in')], response: [onward] }),
    };
    await using edge = await harness({ policies });
    for (const [index, name] of Object.keys(policies).entries()) {
      edge.publish(endpoint(`ep_${index}`, 'http', `${name}.test`, { kind: 'cloud', policy: name }));
      const text = await edge.talk(`GET / HTTP/1.1\r\nHost: ${name}.test\r\n${close}\r\n`);
      expect([name, text]).toEqual([name, expect.stringMatching(/^HTTP\/1\.1 500 .*ERR_NGROK_2300/s)]);
    }
  });

  test('that did not run on a TLS connection make its requests misdirected', async () => {
    const ruled = policy({ connect: [() => CONTINUE], request: [() => respond(200, 'in')] });
    let ruledBy: LiveEndpoint | null = null;
    await using edge = await harness({ policies: { ruled }, scheme: 'https', ruledBy: () => ruledBy });
    edge.publish(endpoint('ep_1', 'https', 'app.test', { kind: 'cloud', policy: 'ruled' }));
    expect(await edge.talk(get('/'))).toMatch(/^HTTP\/1\.1 421 .*ERR_NGROK_90005.*Connection: close/s);
    ruledBy = edge.context.routes.findHttp('https', 'app.test')?.members[0] ?? null;
    expect(await edge.talk(get('/', close))).toMatch(/200 OK/);
  });
});
