/**
 * Tries a folder of sample policies and expressions (JSON lines: `{policy}` or `{cel, kind}`; what is wrong with a policy
 * in `issues`) and prints how many compile and what the others are refused for. Exits with 1 when a faulty one compiles,
 * or is refused with another number than the one that is published for its fault, and when another one does not compile
 * without a reason that is known here.
 * Usage: node packages/policy/scripts/corpus.ts FOLDER [--verbose]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPosternError } from '@postern/errors';
import { compilePolicy, type CompileOptions } from '../src/index.ts';
import { filledIn } from './placeholders.ts';

interface Line {
  readonly policy?: object;
  readonly cel?: string;
  readonly kind?: string;
  readonly tags?: readonly string[];
  readonly issues?: readonly string[];
}

interface Refusal {
  readonly number: number;
  readonly message: string;
}

const [folder, flag] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node packages/policy/scripts/corpus.ts FOLDER [--verbose]\n');
  process.exit(2);
}

const lines: Line[] = readdirSync(folder)
  .filter((name) => name.startsWith('traffic-policy-') && name.endsWith('.jsonl'))
  .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  .filter((line) => line.trim() !== '')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a developer's own file
  .map((line) => JSON.parse(line) as Line);

const PROTOCOLS = ['https', 'tls', 'tcp'] as const;
const PHASES = ['on_http_request', 'on_http_response', 'on_tcp_connect'] as const;

/** The numbers of what is wrong with a document; what is not here is an older spelling that is taken. */
const FAULTS: Readonly<Record<string, readonly number[]>> = {
  'unknown-rule-key:': [2203],
  'unknown-top-key:': [2203],
  'unknown-action:not-real-action': [2201],
  // A field by another name leaves its own out.
  'field:': [2203, 2234],
  'config-not-map:': [2203],
  // Where a field is missing, another one is often misplaced.
  'missing:': [2203, 2234],
  'cel-parse:': [2200],
  'no-actions': [2206],
};

/** Samples that are right as they are written down, and refused here all the same; each with its reason. */
const REFUSED_HERE: readonly (readonly [what: RegExp, why: string])[] = [
  [/ orbit \(/, 'how it signs is not documented'],
  [/^on_tcp_connect.*belongs into on_http_request/, 'connection rules run before requests are known (90032)'],
  [/"t(?:cp|ls):\/\/.*http and https only/, 'request rules of a tcp or tls endpoint, which has no requests (2230)'],
  [/there is no variable "ngrok"/, 'written without the "actions." before it'],
];

/** Not built yet, or with a reason of its own. */
function isExpected({ number, message }: Refusal): boolean {
  return number === 90_025 || REFUSED_HERE.some(([what]) => what.test(message));
}

/** The first protocol under which it compiles, else why it does not under the first. */
function refusal(policies: readonly (readonly [object, CompileOptions])[]): Refusal | null {
  let first: Refusal | null = null;
  for (const [policy, options] of policies) {
    try {
      compilePolicy(policy, options);
      return null;
    } catch (error) {
      if (!isPosternError(error)) throw error;
      first ??= { number: error.number, message: error.message };
    }
  }
  return first;
}

function report(title: string, results: readonly (readonly [Line, Refusal | null])[]): void {
  const refused = results.flatMap(([line, reason]) => (reason === null ? [] : [[line, reason] as const]));
  process.stdout.write(`${title}: ${results.length - refused.length} of ${results.length} compile\n`);
  const groups = new Map<string, number>();
  for (const [line, { number, message }] of refused) {
    const what = `${number} ${message.replace(/^[^ ]+: /, '')}`.slice(0, flag === '--verbose' ? 400 : 110);
    groups.set(what, (groups.get(what) ?? 0) + 1);
    if (flag === '--verbose') process.stdout.write(`  ${line.cel ?? ''} ${(line.tags ?? []).join(' ')} ${message}\n`);
  }
  for (const [what, count] of [...groups].toSorted((a, b) => b[1] - a[1]))
    process.stdout.write(`  ${count} × ${what}\n`);
}

const options = (protocol: (typeof PROTOCOLS)[number]): CompileOptions => ({
  protocol,
  binding: 'public',
  kind: 'agent',
});

const documents = lines.flatMap((line) => {
  const { policy } = line;
  if (policy === undefined) return [];
  const whole = filledIn(policy);
  return [[line, refusal(PROTOCOLS.map((protocol) => [whole, options(protocol)]))] as const];
});

/** null = nothing is wrong with it. */
function numbersOf({ issues = [] }: Line): readonly number[] | null {
  const numbers = issues.flatMap((issue) =>
    Object.entries(FAULTS).flatMap(([fault, known]) => (issue.startsWith(fault) ? known : [])),
  );
  return numbers.length === 0 ? null : numbers;
}

const right = documents.filter(([line]) => numbersOf(line) === null);
report('documents', right);
const unexpected = right.flatMap(([, reason]) => (reason === null || isExpected(reason) ? [] : [reason]));
for (const { message } of unexpected) process.stdout.write(`  should compile: ${message}\n`);

const faulty = documents.filter(([line]) => numbersOf(line) !== null);
// What is not built yet is refused before its own faults are looked for.
const wrong = faulty.filter(
  ([line, reason]) => reason?.number !== 90_025 && !(numbersOf(line) ?? []).includes(reason?.number ?? 0),
);
process.stdout.write(
  `faulty documents: ${faulty.length - wrong.length} of ${faulty.length} are refused as published\n`,
);
for (const [line, reason] of wrong) {
  process.stdout.write(`  ${(line.issues ?? []).join(', ')}: ${reason?.message ?? 'compiles'}\n`);
}

report(
  'expressions',
  lines.flatMap((line) => {
    const { cel } = line;
    if (cel === undefined) return [];
    const rule =
      line.kind === 'expression'
        ? { expressions: [cel], actions: [{ type: 'restrict-ips' }] }
        : { actions: [{ type: 'restrict-ips', config: { allow: [`\${${cel}}`] } }] };
    return [[line, refusal(PHASES.map((phase) => [{ [phase]: [rule] }, options('https')]))] as const];
  }),
);

if (wrong.length > 0 || unexpected.length > 0) process.exitCode = 1;
