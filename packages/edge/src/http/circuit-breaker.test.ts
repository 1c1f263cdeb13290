import { connect, type IncomingHttpHeaders } from 'node:http2';
import { compilePolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, type Harness, harness } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const config = { error_threshold: 0.5, volume_threshold: 3, tripped_duration: '5s' };
const policy = compilePolicy(
  { on_http_request: [{ actions: [{ type: 'circuit-breaker', config }] }] },
  { protocol: 'http', binding: 'public', kind: 'agent' },
);
const STATUS = /^HTTP\/1\.1 (\d+)/;

const ask = async (edge: Harness): Promise<number> =>
  Number(STATUS.exec(await edge.talk(get('/', 'Connection: close\r\n')))?.[1]);

describe('circuit-breaker', () => {
  test('spares a service that fails, tries it again, and lets in when it is well', async () => {
    let status = 500;
    let asked = 0;
    await using service = await nodeService((_, response) => {
      asked++;
      response.statusCode = status;
      response.end();
    });
    const clock = { now: 15_000 };
    await using edge = await harness({
      agents: { s1: dial(service.port) },
      policies: { policy },
      counterClock: () => clock.now,
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'policy', upstreams: [upstream('s1', 't1')] }));
    for (let n = 0; n < 3; n++) expect(await ask(edge)).toBe(500);
    await expect.poll(() => ask(edge)).toBe(503);
    const before = asked;
    const page = await edge.talk(get('/', 'Connection: close\r\n'));
    expect(page).toMatch(/^HTTP\/1\.1 503 .*ngrok-error-code: ERR_NGROK_3202\r\n/is);
    expect(asked).toBe(before);

    clock.now += 5_000;
    expect(await ask(edge)).toBe(500);
    await expect.poll(() => ask(edge)).toBe(503);
    clock.now += 5_000;
    status = 200;
    expect(await ask(edge)).toBe(200);
    await expect.poll(() => ask(edge)).toBe(200);
  });

  test('counts what cannot be reached, over HTTP/2 as well', async () => {
    await using edge = await harness({ agents: {}, policies: { policy }, http2: true, counterClock: () => 15_000 });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'policy', upstreams: [upstream('s1', 't1')] }));
    const session = connect(`http://127.0.0.1:${edge.port}`);
    const one = (): Promise<IncomingHttpHeaders> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/', ':authority': 'app.test' });
        stream.on('response', resolve);
        stream.on('error', reject);
        stream.resume();
      });
    const first = await one();
    expect([Number(first[':status']) >= 500, first['ngrok-error-code']]).toEqual([
      true,
      expect.not.stringContaining('3202'),
    ]);
    await expect.poll(async () => (await one())['ngrok-error-code']).toBe('ERR_NGROK_3202');
    session.close();
  });
});
