/**
 * Policies with random faults crash nothing: each is refused with a published number, or compiles, and then comes to an
 * outcome. The samples are those of docs/policy; with POSTERN_POLICIES=folder those of a corpus as well (JSON lines with a
 * `policy`). POSTERN_MUTATIONS says how many, POSTERN_SEED which.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { isPosternError } from '@postern/errors';
import { compilePolicy, policyProblems, type CompileOptions } from '@postern/policy';
import { readPolicyTests } from '@postern/policy/trial';
import { Dice, SEED } from '@postern/edge/testing/dice';
import { makeContext } from '../../packages/policy/src/testing/context.ts';
import { mutatedPolicy, mutatedPolicyText } from '../fuzz/policy-mutations.ts';

const COUNT = Number(process.env['POSTERN_MUTATIONS'] ?? 3_000);
const CORPUS = process.env['POSTERN_POLICIES'] ?? '';

const pages = path.join(import.meta.dirname, '..', '..', 'docs', 'policy');
const texts: string[] = readdirSync(pages)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => [...readFileSync(path.join(pages, name), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)])
  .map(([, block = '']) => block)
  .filter((block) => !/^tests:/m.test(block));
for (const name of CORPUS === '' ? [] : readdirSync(CORPUS)) {
  if (!/^traffic-policy-cases.*\.jsonl$/.test(name)) continue;
  for (const line of readFileSync(path.join(CORPUS, name), 'utf8').split('\n')) {
    if (line !== '') texts.push(JSON.stringify((JSON.parse(line) as { policy: object }).policy));
  }
}
const [text = '', ...others] = texts;
const TEXTS: readonly [string, ...string[]] = [text, ...others];
const VALUES: readonly [object, ...object[]] = [valueOf(text), ...others.map(valueOf)];

function valueOf(source: string): object {
  const tests = 'tests: [{ request: https://a.example.com/, expect: {} }]';
  return Object(readPolicyTests(`policy:\n${source.replaceAll(/^/gm, '  ')}\n${tests}\n`, 0).policy) as object;
}

const OPTIONS: readonly [CompileOptions, ...CompileOptions[]] = [
  { protocol: 'https', binding: 'public', kind: 'agent' },
  { protocol: 'http', binding: 'public', kind: 'cloud' },
  { protocol: 'https', binding: 'internal', kind: 'agent' },
  { protocol: 'tls', binding: 'public', kind: 'agent' },
  { protocol: 'tcp', binding: 'public', kind: 'cloud' },
];

/** What came of it; throws what must not be thrown. */
async function tryOne(source: string | object, options: CompileOptions): Promise<'refused' | 'ran'> {
  for (const problem of policyProblems(source, options)) expect(isPosternError(problem)).toBe(true);
  let policy: ReturnType<typeof compilePolicy>;
  try {
    policy = compilePolicy(source, options);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    expect(error.message).not.toBe('');
    return 'refused';
  }
  const headers = [
    ['host', 'a.example.com'],
    ['cookie', 'a=1'],
    ['x', '\u00e4'],
  ] as const;
  const facts = { headers, body: '{"a":1}', method: 'POST', target: '/a?b=c' };
  for (const [phase, more] of [
    [policy.onTcpConnect, { request: null }],
    [policy.onHttpRequest, {}],
    [policy.onHttpResponse, { status: 200, responseBody: 'ok' }],
  ] as const) {
    const run = phase?.start(makeContext({ ...facts, ...more }));
    const outcome = await run?.next();
    if (outcome?.kind === 'forward' && outcome.onError === 'continue') {
      await run?.forwardFailed(policyProblem());
    }
  }
  return 'ran';
}

function policyProblem() {
  const [problem] = policyProblems('[', { protocol: 'https', binding: 'public', kind: 'agent' });
  if (problem === undefined) throw new Error('a bracket alone is no policy');
  return problem;
}

test(`${COUNT} policies with random faults crash nothing`, { timeout: 24 * 3_600_000 }, async () => {
  const dice = new Dice(SEED);
  const seen = { refused: 0, ran: 0 };
  for (let at = 0; at < COUNT; at++) {
    const options = dice.pick(OPTIONS);
    const source = dice.once(2) ? mutatedPolicyText(dice.pick(TEXTS), dice) : mutatedPolicy(dice.pick(VALUES), dice);
    try {
      seen[await tryOne(source, options)]++;
    } catch (cause) {
      throw new Error(
        `POSTERN_SEED=${SEED}, mutation ${at}, ${JSON.stringify(options)}:\n${JSON.stringify(source)}\n${String(cause)}`,
        { cause },
      );
    }
  }
  // Both ways have been gone.
  expect(seen.refused).toBeGreaterThan(COUNT / 10);
  expect(seen.ran).toBeGreaterThan(COUNT / 50);
  if (COUNT > 100_000) process.stdout.write(`seed ${SEED}: ${seen.refused} refused, ${seen.ran} ran\n`);
});

test('giant and deep policies are refused, however they are written', () => {
  const options: CompileOptions = { protocol: 'https', binding: 'public', kind: 'agent' };
  const number = (source: string | object): number => policyProblems(source, options)[0]?.number ?? 0;
  const nested = (depth: number, leaf: unknown): unknown => {
    let value = leaf;
    for (let at = 0; at < depth; at++) value = at % 2 === 0 ? [value] : { a: value };
    return value;
  };
  expect(number(`on_http_request: [{ actions: [{ type: deny }] }] #${'x'.repeat(10_000_000)}`)).toBe(90_031);
  expect(number('['.repeat(60_000))).toBe(2236);
  expect(number(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)).toBe(2236);
  expect(number('- '.repeat(30_000))).toBe(2236);
  expect(number(Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:\n`).join(''))).toBe(2236);
  expect(number(nested(10_000, 1) as object)).toBe(2236);
  const names = 'abcdefghij'.split('');
  const bomb = names.slice(1).map((name, at) => `${name}: &${name} [${`*${names[at]},`.repeat(8)}1]`);
  expect(number(`a: &a [x,x,x,x,x,x,x,x]\n${bomb.join('\n')}`)).toBe(2236);
  const many = { actions: [{ type: 'deny' }] };
  expect(number({ on_http_request: Array.from({ length: 251 }, () => many) })).toBe(2264);
  const vars = [{ a: nested(40, '${req.method}') }];
  expect(number({ on_http_request: [{ actions: [{ type: 'set-vars', config: { vars } }] }] })).toBe(2250);
});
