import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../index.ts';
import { makeContext, type Facts } from '../../testing/context.ts';
import { AGENT, bodyOf, phaseOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const S = 'on_http_response';
const set = (...vars: unknown[]): object => ({ type: 'set-vars', config: { vars } });

/** What `text` shows behind the assignments. */
async function shown(vars: unknown[], text: string, facts: Facts = {}): Promise<string> {
  return bodyOf((await run(R, [{ actions: [set(...vars)] }, show(text)], facts)).outcome);
}

const refused = (...vars: unknown[]): string => refusal(rule(R, set(...vars)));

describe('set-vars', () => {
  it.each<[unknown, string, string]>([
    ['text', '${type(vars.x) == string} ${vars.x}', 'true text'],
    [5, '${type(vars.x) == int} ${vars.x / 2}', 'true 2'],
    [1.5, '${type(vars.x) == double} ${vars.x}', 'true 1.5'],
    [-7, '${int(vars.x) % 4}', '-3'],
    [1e300, '${type(vars.x) == double}', 'true'],
    [true, '${!vars.x}', 'false'],
    [null, '${vars.x == null}|${vars.x}', 'true|'],
    ['${1 + 1}', '${type(vars.x) == int}', 'true'],
    ['${uint(1.5) + 10u}', '${type(vars.x) == uint} ${vars.x}', 'true 11'],
    ['${int(50.5)}', '${vars.x}', '50'],
    ['${req.method}', '${vars.x.lower()}', 'get'],
    ['${null}', '${vars.x == null}', 'true'],
    ['n=${1 + 1}', '${vars.x}', 'n=2'],
    ['$${1 + 1}', '${vars.x}', '${1 + 1}'],
    [' ${1}', '${type(vars.x) == string}', 'true'],
    ['', '${vars.x == ""}', 'true'],
    ["${req.headers['none'][0]}", '${vars.x == ""}', 'true'],
    ["${vars.none}|${req.headers['none'][0]}", '${vars.x}', '|'],
    ['${[1, 2].map(i, i * 2)}', '${vars.x[1] == 4}', 'true'],
    ['${{"a": 1}}', '${vars.x.a + 1}', '2'],
  ])('keeps the kind of %j', async (written, text, expected) => {
    expect(await shown([{ x: written }], text)).toBe(expected);
  });

  it('fills in lists and maps however deep', async () => {
    const x = { 'a key': ['${req.method}', { n: '${1 + 1}', m: 'm ${conn.client_port}' }, 3, null, 1.5], '${y}': true };
    expect(await shown([{ x }], '${vars.x}')).toBe('{"${y}":true,"a key":["GET",{"m":"m 50123","n":2},3,null,1.5]}');
    expect(await shown([{ x: { a: [1, { b: [] }] } }], '${vars.x} ${vars.x.a[1].b.size()}')).toBe(
      '{"a":[1,{"b":[]}]} 0',
    );
  });

  it('reads what YAML writes', async () => {
    const text = [
      'on_http_request:',
      '- actions:',
      '  - type: set-vars',
      '    config:',
      '      vars:',
      '      - weights: [10, 30, 100]',
      '      - chance: ${rand.int(0, 99)}',
      '      - index: ${[0, 1, 2].filter(i, vars.weights[i] > vars.chance)[0]}',
      '      - local: false',
      '      - nothing:',
      '  - type: custom-response',
      '    config: { body: "${vars.index} ${vars.local} ${vars.nothing == null}" }',
    ].join('\n');
    const outcome = await compilePolicy(text, AGENT)
      .onHttpRequest?.start(makeContext({ random: 0.2 }))
      .next();
    expect(outcome === undefined ? '' : bodyOf(outcome)).toBe('1 false true');
  });

  it('assigns in order, and again', async () => {
    expect(await shown([{ a: 1 }, { b: '${vars.a + 1}' }, { a: '${vars.a + vars.b}' }], '${vars.a} ${vars.b}')).toBe(
      '3 2',
    );
    const twice = [{ actions: [set({ n: 1 }), set({ n: '${vars.n + 1}' })] }, show('${vars.n}')];
    expect(bodyOf((await run(R, twice)).outcome)).toBe('2');
  });

  it('takes any name that expressions can select', async () => {
    expect(await shown([{ 'a b.ü': 1 }, { if: 2 }], "${vars['a b.ü']} ${vars['if']} ${has(vars.c)}")).toBe('1 2 false');
  });

  it('keeps what was, when the request changes behind it', async () => {
    const actions = [
      set({ before: '${req.headers}' }),
      { type: 'add-headers', config: { headers: { 'x-a': '2' } } },
      set({ after: "${req.headers['x-a'][0]}" }),
    ];
    const { outcome } = await run(R, [{ actions }, show("${'x-a' in vars.before} ${vars.after}")]);
    expect(bodyOf(outcome)).toBe('false 2');
  });

  it('decides rules behind it, and what a response says', async () => {
    const rules = [
      { actions: [set({ admin: false })] },
      { expressions: ["conn.client_ip == '203.0.113.7'"], actions: [set({ admin: true })] },
      { expressions: ['vars.admin'], actions: [{ type: 'deny', config: { status_code: 418 } }] },
    ];
    expect((await run(R, rules)).outcome).toMatchObject({ status: 418 });
    expect((await run(R, rules, { clientIp: '203.0.113.8' })).outcome).toEqual({ kind: 'continue' });
    const late = [{ actions: [set({ was: '${res.status_code}' })] }, show('${vars.was + 1}')];
    expect(bodyOf((await run(S, late, { status: 502 })).outcome)).toBe('503');
  });

  it('works on connections', async () => {
    const rules = [
      { actions: [set({ ip: '${conn.client_ip}' })] },
      { expressions: ["vars.ip == '203.0.113.7'"], actions: [{ type: 'deny' }] },
    ];
    const options = { protocol: 'tcp', binding: 'public', kind: 'agent' } as const;
    expect((await run('on_tcp_connect', rules, { request: null }, options)).outcome).toEqual({ kind: 'close' });
  });

  it('forgets with the phase, and between requests', async () => {
    const policy = compilePolicy(
      { [R]: [show('[${vars.x}]'), { actions: [set({ x: 1 })] }].toReversed(), [S]: [show('[${vars.x}]')] },
      AGENT,
    );
    const context = makeContext({ status: 200 });
    const texts: string[] = [];
    for (const phase of [R, S, S] as const) {
      const outcome = await phaseOf(policy, phase)?.start(context).next();
      if (outcome !== undefined) texts.push(bodyOf(outcome));
    }
    expect(texts).toEqual(['[1]', '[]', '[]']);
  });

  it('ends the request when an expression fails', async () => {
    const failing = async (...vars: unknown[]) => (await run(R, [{ actions: [set(...vars)] }, show('x')])).outcome;
    expect(await failing({ a: '${1 / 0}' })).toMatchObject({ kind: 'error', error: { number: 2238, status: 500 } });
    expect(await failing({ a: 1 }, { b: ['x', { c: "${int('x')}" }] })).toMatchObject({ error: { number: 2238 } });
    expect(await failing({ a: '${lists.range(300).map(x, lists.range(300).map(y, lists.range(300)))}' })).toMatchObject(
      { error: { number: 90034 } },
    );
  });
});

describe('the bounds of set-vars', () => {
  const outcomeOf = async (vars: unknown[], facts: Facts = {}) =>
    (await run(R, [{ actions: [set(...vars)] }, show('in')], facts)).outcome;
  const third = 400_000;
  const facts = { headers: [['x-a', 'a'.repeat(third)]] as const };
  const header = "${req.headers['x-a'][0]}";

  it('are those of all variables together; what is assigned again makes room', async () => {
    expect(bodyOf(await outcomeOf([{ a: header }, { b: header }], facts))).toBe('in');
    expect(await outcomeOf([{ a: header }, { b: header }, { c: [header] }], facts)).toMatchObject({
      kind: 'error',
      error: { number: 2249, status: 500 },
    });
    expect(bodyOf(await outcomeOf([{ a: header }, { b: header }, { a: '' }, { c: header }], facts))).toBe('in');
  });

  it('hold over several actions', async () => {
    const actions = ['a', 'b', 'c'].map((name) => set({ [name]: header }));
    expect((await run(R, [{ actions }], facts)).outcome).toMatchObject({ error: { number: 2249 } });
  });

  it('count what stands in a value as often as it stands there', async () => {
    const doubled = [{ a: 'xxxxxxxx' }, ...Array.from({ length: 40 }, () => ({ a: ['${vars.a}', '${vars.a}'] }))];
    expect(await outcomeOf(doubled)).toMatchObject({
      kind: 'error',
      error: { number: expect.toBeOneOf([2249, 90034]) },
    });
    const deeper = [{ a: 1 }, ...Array.from({ length: 100 }, () => ({ a: { b: '${vars.a}' } }))];
    expect(await outcomeOf(deeper)).toMatchObject({ kind: 'error', error: { number: 90034 } });
  });

  it('refuse when the policy is written', () => {
    const nested = (depth: number): unknown => (depth === 0 ? '${1}' : [nested(depth - 1)]);
    expect(refused({ a: nested(32) })).toBe('accepted');
    expect(refused({ a: 1 }, { b: nested(33) })).toMatch(
      /^2250 on_http_request\[0\]\.actions\[0\]\.config\.vars\[1\]\.b(\[0\]){33}: /,
    );
    expect(refused(...Array.from({ length: 251 }, () => ({ a: 1 })))).toMatch(/^2218 .*config\.vars: 251/);
    expect(refused({ ['n'.repeat(1025)]: 1 })).toMatch(/^2221 .*config\.vars\[0\]: 1025/);
  });

  it.each<[unknown[], RegExp]>([
    [[{ a: 1 }, { b: 1, c: 2 }], /^2252 .*config\.vars\[1\]: .*2 names/],
    [[{}], /^2252 .*config\.vars\[0\]: .*0 names/],
    [[{ '': 1 }], /^2223 .*config\.vars\[0\]: /],
    [['a'], /^2204 .*config\.vars\[0\]: a map is needed/],
    [[], /^2223 .*config\.vars: /],
    [[{ a: { b: ['${1 +}'] } }], /^2224 .*config\.vars\[0\]\.a\.b\[0\]: /],
    [[{ a: 'x ${' }], /^2224 .*config\.vars\[0\]\.a: /],
    [[{ a: '${res.status_code}' }], /^2224 .*config\.vars\[0\]\.a: /],
    [[{ a: [2 ** 53] }], /^2204 .*config\.vars\[0\]\.a\[0\]: .*digits/],
  ])('refuses %j', (vars, words) => {
    expect(refused(...vars)).toMatch(words);
  });

  it('takes a list, and has no other field', () => {
    const config = (value: object): string => refusal(rule(R, { type: 'set-vars', config: value }));
    expect(config({ vars: { a: 1 } })).toMatch(/^2204 .*config\.vars: a list is needed/);
    expect(config({})).toMatch(/^2234 .*"vars"/);
    expect(config({ vars: [{ a: 1 }], names: [] })).toMatch(/^2203 .*config\.names: /);
  });
});
