import { fail, type PosternError } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import type { OutgoingAnswer, OutgoingHttp, OutgoingRequest } from '../../services.ts';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const RESULT = 'actions.ngrok.http_request';

const action = (config: object = {}): object => ({
  type: 'http-request',
  config: { url: 'https://auth.internal/check', ...config },
});
const refused = (config: object): string => refusal(rule(R, action(config)));

type Answer = Partial<OutgoingAnswer> | PosternError;

class Fake implements OutgoingHttp {
  readonly asked: OutgoingRequest[] = [];
  readonly #answers: Answer[];

  /** The last one is given again and again. */
  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  call(request: OutgoingRequest): Promise<OutgoingAnswer | PosternError> {
    this.asked.push(request);
    const answer = this.#answers[Math.min(this.asked.length, this.#answers.length) - 1] ?? {};
    if (answer instanceof Error) return Promise.resolve(answer);
    return Promise.resolve({ status: 200, headers: [], body: Buffer.from('yes'), ms: 1, ...answer });
  }
}

const asking = (outgoing: OutgoingHttp, facts: Facts = {}): Facts => ({ ...facts, services: { outgoing } });
const shown = async (config: object, body: string, outgoing: OutgoingHttp, facts: Facts = {}): Promise<string> =>
  bodyOf((await run(R, [{ actions: [action(config)] }, show(body)], asking(outgoing, facts))).outcome);

describe('http-request', () => {
  it('sends what its config makes of the request', async () => {
    const fake = new Fake();
    const config = {
      url: 'https://auth.internal:8443/${req.method}?a=b%20c#d',
      method: 'POST',
      query_params: [{ key: 'who${1}', value: '${conn.client_ip} ü&' }],
      headers: { 'X-Host': '${req.host}' },
      body: '{"path": "${req.url.path}"}',
      timeout: '5s',
    };
    expect(await shown(config, `\${${RESULT}.res.body}`, fake, { target: '/x' })).toBe('yes');
    expect(fake.asked).toEqual([
      {
        method: 'POST',
        url: 'https://auth.internal:8443/GET?a=b%20c&who1=203.0.113.7%20%C3%BC%26',
        headers: [['x-host', 'app.example.com']],
        body: Buffer.from('{"path": "/x"}'),
        timeoutMs: expect.closeTo(5000, -3),
        limit: 262_144,
      },
    ]);
  });

  it('leaves what it was answered', async () => {
    const headers = [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const;
    const fake = new Fake({ status: 404, headers, body: Buffer.from('{"a":1}') });
    const all = `\${${RESULT}.encodeJson()}`;
    expect(JSON.parse(await shown({ headers: { a: 'b' } }, all, fake))).toEqual({
      error: { code: '', message: '' },
      attempts: [
        {
          response_header: { 'set-cookie': ['a=1', 'b=2'] },
          response_status_code: 404,
          response_time_ms: expect.stringMatching(/^\d+$/),
        },
      ],
      req: { method: 'GET', url: 'https://auth.internal/check', header: { a: ['b'] }, body: '' },
      res: {
        header: { 'set-cookie': ['a=1', 'b=2'] },
        status_code: 404,
        statusCode: 404,
        time_ms: expect.stringMatching(/^\d+$/),
        body: '{"a":1}',
      },
    });
    expect(await shown({}, `\${${RESULT}.res.header['Set-Cookie'][1]}`, fake)).toBe('b=2');
  });

  it('goes on after an error, or halts with it', async () => {
    const fake = new Fake(fail(3602));
    expect(await shown({}, `\${${RESULT}.error.code} \${${RESULT}.res.status_code}`, fake)).toBe('ERR_NGROK_3602 0');
    const halting = [{ actions: [action({ on_error: 'halt' })] }, show('never')];
    expect((await run(R, halting, asking(fake))).outcome).toMatchObject({ kind: 'error', error: { number: 3602 } });
    const outside = { url: "https://${getReqHeader('x-to')[0]}/" };
    const facts = { headers: [['x-to', '169.254.169.254/?.internal']] as const };
    const none = new Fake();
    expect(await shown(outside, `\${${RESULT}.error.code}`, none, facts)).toBe('ERR_NGROK_2226');
    expect(none.asked).toEqual([]);
    expect((await run(R, [{ actions: [action(outside)] }], asking(none))).outcome).toMatchObject({
      error: { number: 2238 },
    });
  });

  it('asks again while its condition holds, three times at most', async () => {
    const tried = async (condition: string, ...answers: Answer[]): Promise<string> =>
      await shown(
        { retry_condition: condition, timeout: '10s' },
        `\${size(${RESULT}.attempts)} \${${RESULT}.res.status_code}`,
        new Fake(...answers),
      );
    const failing = 'last_attempt.res.status_code >= 500';
    expect(await tried(failing, { status: 500 }, { status: 200 })).toBe('2 200');
    expect(await tried("last_attempt.error != ''", fail(3602), { status: 500 })).toBe('2 500');
    expect(await tried(`${failing} && attempts < 2`, { status: 500 })).toBe('2 500');
    expect(await tried("last_attempt.req.method == 'GET' && true", { status: 500 })).toBe('4 500');
    expect(await tried("last_attempt.res.body.matches('nothing') || last_attempt.nothing == 1", {})).toBe('1 200');
  });

  it('does not ask again when there is no time left, or nobody waits', async () => {
    const slow: OutgoingHttp = {
      call: ({ timeoutMs }) => new Promise((resolve) => setTimeout(resolve, timeoutMs - 50, fail(3200, { url: '' }))),
    };
    expect(await shown({ retry_condition: 'true', timeout: '1s' }, `\${size(${RESULT}.attempts)}`, slow)).toBe('1');
    const over = new AbortController();
    const fake = new Fake({ status: 500 });
    const rules = [{ actions: [action({ retry_condition: 'true' }), action()] }];
    const ended = run(R, rules, asking(fake, { signal: over.signal }));
    over.abort();
    expect((await ended).outcome).toEqual({ kind: 'close' });
    expect(fake.asked.length).toBe(1);
  });

  it('follows redirects as far as it may', async () => {
    const to = (status: number, location: string): Answer => ({ status, headers: [['location', location]] });
    const post = { method: 'POST', body: 'x', headers: { 'content-type': 'a/b', 'x-a': 'b' }, max_redirects: 2 };
    const fake = new Fake(to(307, '/two'), to(302, 'http://other.internal/three'), { status: 200 });
    expect(await shown(post, `\${${RESULT}.res.status_code}`, fake)).toBe('200');
    expect(fake.asked.map(({ method, url, headers, body }) => [method, url, headers.length, body.length])).toEqual([
      ['POST', 'https://auth.internal/check', 2, 1],
      ['POST', 'https://auth.internal/two', 2, 1],
      ['GET', 'http://other.internal/three', 1, 0],
    ]);
    const code = async (...answers: Answer[]): Promise<string> =>
      await shown({ max_redirects: 1 }, `\${${RESULT}.error.code}`, new Fake(...answers));
    expect(await code(to(302, '/again'))).toBe('ERR_NGROK_3214');
    expect(await code(to(302, 'https://app.example.com/'))).toBe('ERR_NGROK_2226');
    expect(await code(to(302, 'file:///etc/passwd'))).toBe('ERR_NGROK_2226');
    expect(await code({ status: 302 })).toBe('');
  });

  it('is paid for by the request', async () => {
    const fake = new Fake();
    const many = [{ actions: Array.from({ length: 30 }, () => action()) }];
    expect((await run(R, many, asking(fake))).outcome).toMatchObject({ error: { number: 90034 } });
    expect(fake.asked.length).toBe(24);
  });

  it.each<readonly [string, object, RegExp]>([
    ['an outside', { url: 'https://api.example.com/' }, /^2226 .*actions\[0\]\.config\.url: .*must end in \.internal/],
    ['no scheme', { url: 'auth.internal/x' }, /^2226 .*config\.url: .*begin with http/],
    ['another scheme', { url: 'tcp://auth.internal:1' }, /^2226 /],
    ['an address', { url: 'http://127.0.0.1/' }, /^2226 /],
    ['a user', { url: 'https://a:b@auth.internal/' }, /^2226 .*user name/],
    ['no url', { url: '' }, /^2223 .*config\.url/],
    ['a long url', { url: `https://auth.internal/${'x'.repeat(2048)}` }, /^2221 .*config\.url/],
    ['a method', { method: 'TRACE' }, /^2222 .*config\.method: "TRACE"/],
    ['many parameters', { query_params: Array.from({ length: 33 }, () => ({ key: 'a', value: '' })) }, /^2244 .* 33 /],
    ['a long key', { query_params: [{ key: 'a'.repeat(129), value: '' }] }, /^2245 .*query_params\[0\]\.key: /],
    ['a long value', { query_params: [{ key: 'a', value: 'a'.repeat(8193) }] }, /^2246 .*query_params\[0\]\.value: /],
    ['an empty key', { query_params: [{ key: '', value: 'a' }] }, /^2223 .*query_params\[0\]\.key: /],
    ['a framing header', { headers: { 'Content-Length': '1' } }, /^2219 .*config\.headers: /],
    ['a host', { headers: { host: 'a.internal' } }, /^2219 .*config\.headers: /],
    ['redirects', { max_redirects: 101 }, /^2215 .*config\.max_redirects: /],
    ['a short timeout', { timeout: '500ms' }, /^2215 .*config\.timeout: 500ms is outside 1s to 30s/],
    ['a long timeout', { timeout: '31s' }, /^2225 .*config\.timeout: 31s/],
    ['no condition', { retry_condition: 'attempts + 1' }, /^2200 .*config\.retry_condition: .*true or false/],
    ['a wrong type', { retry_condition: "attempts < '2'" }, /^2200 .*config\.retry_condition: /],
    ['an unknown name', { retry_condition: 'tries < 2' }, /^2200 .*config\.retry_condition: .*tries/],
    ['a template', { retry_condition: '${attempts < 2}' }, /^2200 .*plain CEL/],
    ['an expression', { body: '${nothing.here}' }, /^2224 .*config\.body: /],
    ['an error policy', { on_error: 'stop' }, /^2222 .*config\.on_error/],
    ['a field', { retries: 2 }, /^2203 .*config\.retries: there is no such field/],
  ])('refuses %s', (_, config, words) => {
    expect(refused(config)).toMatch(words);
  });

  it('has its variables in its condition alone', () => {
    const own = { expressions: ['attempts < 2'], actions: [{ type: 'deny' }] };
    expect(refusal({ [R]: [own] })).toMatch(/^2200 /);
    expect(refused({ retry_condition: '[1, 2].exists(x, x == attempts) && has(last_attempt.res)' })).toBe('accepted');
    expect(refused({ retry_condition: false })).toBe('accepted');
  });
});
