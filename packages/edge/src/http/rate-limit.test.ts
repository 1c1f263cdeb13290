import { connect, type IncomingHttpHeaders } from 'node:http2';
import { compilePolicy, type CompiledPolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness, type Harness } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const close = 'Connection: close\r\n';

/** Requests of one value of X-Key within a minute, then "through". */
function policy(capacity: number, config: object = {}): CompiledPolicy {
  const limit = {
    name: 'by key',
    algorithm: 'sliding_window',
    capacity,
    rate: '60s',
    bucket_key: ['conn.client_ip', "req.headers['x-key'][0]"],
    ...config,
  };
  const answer = { actions: [{ type: 'custom-response', config: { body: 'through' } }] };
  const rules = [{ actions: [{ type: 'rate-limit', config: limit }] }, answer];
  return compilePolicy({ on_http_request: rules }, { protocol: 'http', binding: 'public', kind: 'cloud' });
}

const POLICIES = { two: policy(2), three: policy(3), looking: policy(1, { enforce: false }) };
const cloud = (name: keyof typeof POLICIES, id = 'ep_1') =>
  endpoint(id, 'http', 'app.test', { kind: 'cloud', policy: name });

/** Status and Retry-After. */
async function ask(edge: Harness, key = ''): Promise<string> {
  const text = await edge.talk(get('/', `${close}${key === '' ? '' : `X-Key: ${key}\r\n`}`));
  return [/^HTTP\/1\.1 (\d+)/.exec(text)?.[1], /\r\nretry-after: (.*)\r\n/i.exec(text)?.[1]].join(' ').trim();
}

describe('rate-limit', () => {
  test('refuses who has had his share, with 429 and when to come again; others come in', async () => {
    const clock = { now: 15_000 };
    await using edge = await harness({ policies: POLICIES, counterClock: () => clock.now });
    edge.publish(cloud('two'));
    expect([await ask(edge, 'a'), await ask(edge, 'a'), await ask(edge, 'a')]).toEqual(['200', '200', '429 55']);
    expect([await ask(edge, 'b'), await ask(edge), await ask(edge)]).toEqual(['200', '200', '200']);
    expect(await ask(edge)).toBe('429 55');
    const page = await edge.talk(get('/', `${close}X-Key: a\r\nAccept: text/html\r\n`));
    expect(page).toMatch(/^HTTP\/1\.1 429 .*ngrok-error-code: ERR_NGROK_90037\r\n.*<html.*again in 55 s\./is);
    clock.now = 69_999;
    expect(await ask(edge, 'a')).toBe('429 1');
    clock.now = 70_000;
    expect(await ask(edge, 'a')).toBe('200');
  });

  test('keeps its count when the policy is edited, and has one for each endpoint', async () => {
    await using edge = await harness({ policies: POLICIES });
    edge.publish(cloud('two'));
    for (let n = 0; n < 3; n++) await ask(edge);
    edge.publish(cloud('three'));
    expect(await ask(edge)).toBe('200');
    expect(await ask(edge)).toMatch(/^429 \d/);
    edge.publish({ ...cloud('two', 'ep_2'), host: 'other.test' });
    expect(await edge.talk(get('/', close).replace('app.test', 'other.test'))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('only looks when it is told so', async () => {
    await using edge = await harness({ policies: POLICIES });
    edge.publish(cloud('looking'));
    expect([await ask(edge), await ask(edge)]).toEqual(['200', '200']);
  });

  test('does not let what it refuses come to the service, and keeps the connection', async () => {
    let served = 0;
    await using service = await nodeService((_request, response) => {
      served++;
      response.end('served');
    });
    const limit = { name: 'all', algorithm: 'sliding_window', capacity: 1, rate: '60s', bucket_key: "'all'" };
    const one = compilePolicy(
      { on_http_request: [{ actions: [{ type: 'rate-limit', config: limit }] }] },
      { protocol: 'http', binding: 'public', kind: 'agent' },
    );
    await using edge = await harness({ policies: { one }, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'one', upstreams: [upstream('s1', 't1')] }));
    const text = await edge.talk(get('/') + get('/') + get('/', close));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 429', 'HTTP/1.1 429']);
    expect(served).toBe(1);
  });

  test('is the same over HTTP/2', async () => {
    await using edge = await harness({ policies: POLICIES, http2: true });
    edge.publish(cloud('two'));
    const session = connect(`http://127.0.0.1:${edge.port}`);
    const one = (key: string): Promise<IncomingHttpHeaders> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/', ':authority': 'app.test', 'x-key': key });
        stream.on('response', resolve);
        stream.on('error', reject);
        stream.resume();
      });
    const answers = await Promise.all(['a', 'a', 'a', 'b'].map(one));
    session.close();
    expect(answers.filter((headers) => Number(headers[':status']) === 200)).toHaveLength(3);
    const refused = answers.find((headers) => Number(headers[':status']) === 429);
    expect(Number(refused?.['retry-after'])).toBeGreaterThan(0);
    expect(refused?.['ngrok-error-code']).toBe('ERR_NGROK_90037');
  });
});
