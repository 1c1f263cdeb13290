/**
 * What replacing in a body of 1 MB costs, next to `sed -E` fed and read through pipes. Both go over the same bytes and
 * have to make the same of them. Usage: node scripts/node24.mjs bench/find-replace.ts
 */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { readPolicyTests, tryPolicy } from '@postern/policy/trial';

const ROUNDS = 21;
const BYTES = 1_000_000;

/** A pattern as RE2 has it, and as sed does. */
const PATTERNS = [
  { name: 'a literal', from: 'secret', sed: 'secret', to: '***' },
  { name: 'three numbers', from: '\\d{3}-\\d{2}-\\d{4}', sed: '[0-9]{3}-[0-9]{2}-[0-9]{4}', to: '[hidden]' },
  {
    name: 'an address of mail',
    from: '[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}',
    sed: '[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}',
    to: '[mail]',
  },
  { name: 'groups', from: '([a-z]+)@([a-z]+)', sed: '([a-z]+)@([a-z]+)', to: '$2 at $1', sedTo: '\\2 at \\1' },
  { name: 'a word of some', from: '(alpha|omega|kappa)', sed: '(alpha|omega|kappa)', to: '<$1>', sedTo: '<\\1>' },
] as const;

const WORDS = [
  'alpha',
  'beta',
  'number',
  'text',
  'of',
  'a',
  'body',
  'content',
  'value',
  'the',
  'quick',
  'brown',
  'fox',
];

/** Seeded, so that every run has the same. */
function text(): Buffer {
  let seed = 7;
  const below = (limit: number): number => (seed = (seed * 48_271) % 2_147_483_647) % limit;
  let made = '';
  while (made.length < BYTES) {
    const kind = below(200);
    if (kind === 0) made += `${100 + below(900)}-${10 + below(90)}-${1_000 + below(9_000)}`;
    else if (kind === 1) made += `${WORDS[below(WORDS.length)]}@example.com`;
    else if (kind === 2) made += 'secret';
    else made += WORDS[below(WORDS.length)];
    made += below(10) === 0 ? '\n' : ' ';
  }
  return Buffer.from(made.slice(0, BYTES));
}

const body = text();
const written = body.toString('utf8');
const options = { protocol: 'https', binding: 'public', kind: 'agent' } as const;

interface Result {
  readonly ms: number;
  /** Of the processor. */
  readonly cpu: number;
  readonly made: string;
}

async function ours(from: string, to: string, times: number): Promise<Result> {
  const action = { type: 'response-body-find-replace', config: { replacements: [{ from, to }] } };
  const url = 'https://app.example.com/';
  const [test] = readPolicyTests({ service: { body: written }, times, tests: [{ request: url, expect: {} }] }, 0).tests;
  if (test === undefined) throw new Error('there is no test');
  const began = performance.now();
  const before = process.cpuUsage();
  const { verdict } = await tryPolicy({ on_http_response: [{ actions: [action] }] }, options, test.given);
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - began, cpu: (user + system) / 1_000, made: verdict.body };
}

async function sed(pattern: string, to: string): Promise<Result> {
  const began = performance.now();
  const script = 'TIMEFORMAT=\'%3U %3S\'; time sed -E "$1"';
  const child = spawn('bash', ['-c', script, 'bash', `s/${pattern}/${to}/g`], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [made, told] = [buffer(child.stdout), buffer(child.stderr)];
  child.stdin.end(body);
  const bytes = await made;
  const ms = performance.now() - began;
  return { ms, cpu: cpuOf((await told).toString()), made: bytes.toString('utf8') };
}

/** Seconds of the processor that a child tells by bash's `time`, as ms. */
const cpuOf = (told: string): number =>
  told
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds) * 1_000, 0);

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

for (const { name, from, to, sed: pattern, ...more } of PATTERNS) {
  const theirs: Result[] = [];
  const mine: Result[] = [];
  // Turn by turn, so that what else the machine does costs both.
  for (let round = 0; round < ROUNDS; round++) {
    const other = await sed(pattern, 'sedTo' in more ? more.sedTo : to);
    const once = await ours(from, to, 1);
    const often = await ours(from, to, 6);
    if (once.made !== other.made) throw new Error(`${name}: sed makes something else of it`);
    theirs.push(other);
    mine.push({ ms: (often.ms - once.ms) / 5, cpu: (often.cpu - once.cpu) / 5, made: '' });
  }
  const compare = (what: string, of: (result: Result) => number): string => {
    const [a, b] = [median(mine.map(of)), median(theirs.map(of))];
    return `${what} ${a.toFixed(1)} ms, sed ${b.toFixed(1)} ms: ${(a / b).toFixed(2)}`;
  };
  process.stdout.write(`${name.padEnd(20)} ${compare('time', ({ ms }) => ms)}; ${compare('CPU', ({ cpu }) => cpu)}\n`);
}
