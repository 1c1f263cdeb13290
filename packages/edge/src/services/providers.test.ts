import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listening } from '../testing/services.ts';
import { Outside } from './outside.ts';
import { IdentityProviders } from './providers.ts';

const ASKER = { endpoint: 'ep_1', address: '192.0.2.1' };

async function provider(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      answer(request, response, body);
    });
  });
  const service = await listening(server);
  const clock = { now: 0 };
  const outside = new Outside({ allow: ['127.0.0.0/8'], atOnce: 9, ofOne: 8 });
  const providers = new IdentityProviders({ outside, now: () => clock.now, callbackUrl: 'x', settings: new Map() });
  const url = `http://127.0.0.1:${service.port}`;
  return { asked, clock, providers, url, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const request = (url: string, form: string | null = null) => ({ url, form, headers: { 'x-a': 'b' }, signal: null });

describe('identity providers', () => {
  it('are asked with forms and headers, and answer whatever their status', async () => {
    await using at = await provider(({ headers }, response, body) => {
      response.writeHead(401).end(`${String(headers['x-a'])} ${headers['content-type']} ${headers.accept} ${body}`);
    });
    const answer = await at.providers.ask(request(`${at.url}/token`, 'a=b&c=d'), ASKER);
    if ('problem' in answer) throw new Error(answer.problem);
    expect([answer.status, answer.body.toString()]).toEqual([
      401,
      'b application/x-www-form-urlencoded application/json a=b&c=d',
    ]);
    expect(at.asked).toEqual(['POST /token a=b&c=d']);
    expect(await at.providers.ask(request('nonsense'), ASKER)).toEqual({ problem: 'it is no address' });
    const inside = new IdentityProviders({
      outside: new Outside({ allow: [] }),
      now: () => 0,
      callbackUrl: 'x',
      settings: new Map(),
    });
    expect(await inside.ask(request(at.url), ASKER)).toMatchObject({ problem: expect.stringContaining('may reach') });
    expect(await inside.document(at.url, ASKER)).toMatchObject({ problem: expect.stringContaining('may reach') });
  });

  it('are left alone when the visitor has left', async () => {
    const closed = Promise.withResolvers<void>();
    const come = Promise.withResolvers<void>();
    await using at = await provider((_request, response) => {
      response.on('close', () => closed.resolve());
      come.resolve();
    });
    const visitor = new AbortController();
    const going = at.providers.ask({ ...request(at.url), signal: visitor.signal }, ASKER);
    await come.promise;
    visitor.abort();
    expect(await going).toMatchObject({ problem: expect.any(String) as string });
    await closed.promise;
  });

  it('are asked by so many of one network at once, of one endpoint, and in all', async () => {
    const waiting: ServerResponse[] = [];
    await using at = await provider((_request, response) => void waiting.push(response));
    const ask = (endpoint: string, address: string) => at.providers.ask(request(at.url), { endpoint, address });
    const first = Array.from({ length: 6 }, () => ask('ep_1', '192.0.2.1'));
    expect(await ask('ep_1', '192.0.2.1')).toMatchObject({ busy: true });
    const others = [ask('ep_1', '192.0.2.2'), ask('ep_1', '192.0.2.3')];
    expect(await ask('ep_1', '192.0.2.4')).toMatchObject({ busy: true });
    const last = ask('ep_2', '192.0.2.1');
    expect(await ask('ep_3', '192.0.2.1')).toMatchObject({ busy: true });
    await expect.poll(() => waiting.length).toBe(9);
    for (const response of waiting) response.end('{}');
    for (const answer of await Promise.all([...first, ...others, last])) expect(answer).toMatchObject({ status: 200 });
    const again = ask('ep_1', '192.0.2.1');
    await expect.poll(() => waiting.length).toBe(10);
    waiting[9]?.end('{}');
    expect(await again).toMatchObject({ status: 200 });
  });

  it('publish documents, which are kept, asked for once, and hold for an hour more', async () => {
    let status = 200;
    let body = '{"a":1}';
    await using at = await provider((_request, response) => void response.writeHead(status).end(body));
    const get = () => at.providers.document(`${at.url}/doc`, ASKER);
    const [one, two] = await Promise.all([get(), get()]);
    expect(one).toEqual({ document: { a: 1 } });
    expect(two).toBe(one);
    at.clock.now += 15 * 60_000 - 1;
    expect(get()).toBe(one);
    expect(at.asked).toHaveLength(1);
    at.clock.now += 1;
    status = 500;
    expect(await get()).toBe(one);
    expect(await get()).toBe(one);
    expect(at.asked).toHaveLength(2);
    at.clock.now += 60 * 60_000;
    expect(await get()).toEqual({ problem: 'it answered 500' });
    expect(await get()).toEqual({ problem: 'it answered 500' });
    expect(at.asked).toHaveLength(3);
    at.clock.now += 5_000;
    status = 200;
    body = '[1]';
    expect(await get()).toEqual({ problem: 'its answer is no JSON object' });
    at.clock.now += 5_000;
    body = '{"a":2}';
    expect(await get()).toEqual({ document: { a: 2 } });
  });

  it('push out documents of their own endpoint first', async () => {
    await using at = await provider((_request, response) => void response.end('{"a":1}'));
    const get = (n: number, endpoint = 'ep_1') => at.providers.document(`${at.url}/${n}`, { ...ASKER, endpoint });
    await get(100, 'ep_2');
    for (let n = 0; n <= 16; n++) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await get(n);
    }
    expect(get(100, 'ep_2')).not.toBeInstanceOf(Promise);
    expect(get(16)).not.toBeInstanceOf(Promise);
    expect(get(0)).toBeInstanceOf(Promise);
    await get(0);
  });
});
