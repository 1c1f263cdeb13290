import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../runtime.ts';
import type { CountLimit, Counters } from '../../services.ts';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const CONFIG = { name: 'one', algorithm: 'sliding_window', capacity: 2, rate: '60s', bucket_key: ['conn.client_ip'] };
const limited = (config: object): object => ({ actions: [{ type: 'rate-limit', config: { ...CONFIG, ...config } }] });
const problem = (change: object): string => refusal(rule(R, { type: 'rate-limit', config: { ...CONFIG, ...change } }));

/** Counts without end, and keeps what it was asked. */
class Plain implements Counters {
  readonly counts = new Map<string, number>();
  readonly limits: CountLimit[] = [];

  take(endpointId: string, bucket: string, limit: CountLimit): number {
    const cell = `${endpointId} ${limit.set} ${bucket}`;
    const count = this.counts.get(cell) ?? 0;
    this.limits.push(limit);
    if (count >= limit.capacity) return 41_001;
    this.counts.set(cell, count + 1);
    return 0;
  }
}

async function ask(counters: Counters, config: object, facts: Facts = {}): Promise<Outcome> {
  return (await run(R, [limited(config)], { ...facts, services: { counters } })).outcome;
}

/** The buckets that the requests count in. */
async function buckets(bucketKey: unknown, ...requests: Facts[]): Promise<string[]> {
  const counters = new Plain();
  for (const facts of requests) await ask(counters, { bucket_key: bucketKey }, facts);
  return [...counters.counts.keys()].map((cell) => cell.slice('ep_1 60000 one '.length));
}

const header = (value: string): Facts => ({ headers: [['x', value]] });

describe('rate-limit', () => {
  it('answers 429 and when to try again, once a bucket is full', async () => {
    const counters = new Plain();
    expect((await ask(counters, {})).kind).toBe('continue');
    expect((await ask(counters, {})).kind).toBe('continue');
    expect(await ask(counters, {})).toMatchObject({
      kind: 'error',
      error: { number: 90037, status: 429, message: expect.stringContaining('in 42 s.') },
      headers: [['retry-after', '42']],
    });
    expect((await ask(counters, {}, { clientIp: '192.0.2.1' })).kind).toBe('continue');
    // Under another name, or for another window, it counts anew.
    expect((await ask(counters, { name: 'two' })).kind).toBe('continue');
    expect((await ask(counters, { rate: '2m' })).kind).toBe('continue');
    expect((await ask(counters, { capacity: 3 })).kind).toBe('continue');
    expect((await ask(counters, { capacity: 3 })).kind).toBe('error');
  });

  it('waits for a second at least', async () => {
    expect(await ask({ take: () => 1 }, {})).toMatchObject({ headers: [['retry-after', '1']] });
  });

  it('can only look', async () => {
    const counters = new Plain();
    const text = ['bucket_key', 'limited', 'error.code']
      .map((name) => `\${actions.ngrok.rate_limit.${name}}`)
      .join(' ');
    const rules = [limited({ enforce: false, capacity: 1 }), show(text)];
    const facts = { services: { counters } };
    expect(bodyOf((await run(R, rules, facts)).outcome)).toBe('["203.0.113.7"] false ');
    expect(bodyOf((await run(R, rules, facts)).outcome)).toBe('["203.0.113.7"] true ERR_NGROK_90037');
  });

  it('cuts windows into slices of ten seconds, and long ones into sixty', async () => {
    const counters = new Plain();
    for (const rate of ['60s', '10m', '24h', 90_000_000_000]) await ask(counters, { rate });
    expect(counters.limits.map(({ windowMs, slices }) => [windowMs, slices])).toEqual([
      [60_000, 6],
      [600_000, 60],
      [86_400_000, 60],
      [90_000, 9],
    ]);
  });

  it('takes values of any kind, and a missing one for nothing', async () => {
    expect(
      await buckets(["getReqHeader('x')", '1', 'true', '1.5', 'null', 'vars.none', "req.headers['y'][0]"], {}),
    ).toEqual(['["[]","1","true","1.5","","",""]']);
    expect(await buckets(["req.headers['x'][0]"], header(''), {}, header('a'))).toEqual(['[""]', '["a"]']);
  });

  it('tells apart keys whose texts run together', async () => {
    const pair = (a: string, b: string): Facts => ({
      headers: [
        ['x', a],
        ['y', b],
      ],
    });
    const keys = ["req.headers['x'][0]", "req.headers['y'][0]"];
    expect(await buckets(keys, pair('a', 'b'), pair('a","b', ''), pair('', 'a","b'), pair('ab', ''))).toHaveLength(4);
  });

  it('keeps a digest of what is long', async () => {
    const long = 'x'.repeat(10_000);
    const found = await buckets(["req.headers['x'][0]"], header(long), header(`${long}y`), header(`${long}y`));
    expect(found).toEqual([expect.stringMatching(/^sha256:.{43}$/), expect.stringMatching(/^sha256:.{43}$/)]);
  });

  it('lets nobody pass whose key cannot be told', async () => {
    const counters = new Plain();
    const outcomes = [
      "int(req.headers['x'][0])",
      "'a'.matches(req.headers['x'][0])",
      `'${'x'.repeat(9000)}'.split('').map(i, i + i).join('').split('').map(i, i + i).join('').split('').join('')`,
    ].map(async (key) => ask(counters, { bucket_key: [key] }, header('(')));
    expect(await Promise.all(outcomes)).toMatchObject([
      { kind: 'error', error: { number: 2254 } },
      { kind: 'error', error: { number: 2254 } },
      { kind: 'error', error: { number: 90034 } },
    ]);
    expect(counters.counts.size).toBe(0);
  });

  it('says what is wrong with its config', () => {
    const at = 'on_http_request\\[0\\]\\.actions\\[0\\]\\.config';
    expect(problem({})).toBe('accepted');
    expect(problem({ name: '' })).toMatch(new RegExp(`^2223 ${at}\\.name: `));
    expect(problem({ name: 'x'.repeat(1024) })).toMatch(/^2221 .*config\.name: 1024 /);
    expect(problem({ name: undefined })).toMatch(/^2234 .*"name"/);
    expect(problem({ algorithm: 'leaky' })).toMatch(/^2222 .*config\.algorithm: "leaky" .*sliding_window/);
    expect(problem({ algorithm: undefined })).toMatch(/^2234 .*"algorithm"/);
    expect(problem({ capacity: 0 })).toMatch(/^2215 .*config\.capacity: 0 /);
    expect(problem({ capacity: 2_000_000_001 })).toMatch(/^2215 /);
    expect(problem({ capacity: '2000000000' })).toBe('accepted');
    expect(problem({ rate: '30s' })).toMatch(/^2215 .*config\.rate: 30s is outside 1m to 24h/);
    expect(problem({ rate: '25h' })).toMatch(/^2225 .*config\.rate: 25h is longer than 24h/);
    expect(problem({ rate: '61s' })).toMatch(/^2204 .*config\.rate: 61s is no multiple of 10s/);
    expect(problem({ rate: 'soon' })).toMatch(/^2204 .*config\.rate: a duration/);
    expect(problem({ bucket_key: [] })).toMatch(/^2223 .*config\.bucket_key: /);
    expect(problem({ bucket_key: Array.from({ length: 11 }, () => 'req.host') })).toMatch(/^2218 .*bucket_key: 11 /);
    expect(problem({ bucket_key: 'req.host' })).toBe('accepted');
    expect(problem({ bucket_key: ['req.host', 'req.hots'] })).toMatch(new RegExp(`^2200 ${at}\\.bucket_key\\[1\\]: `));
    expect(problem({ bucket_key: ['${req.host}'] })).toMatch(/^2200 .*bucket_key\[0\]: .*without \$\{…\}/);
    expect(problem({ bucket_key: ['req.ts.body_received'] })).toBe('accepted');
    expect(problem({ burst: 1 })).toMatch(/^2203 .*config\.burst: /);
  });
});
