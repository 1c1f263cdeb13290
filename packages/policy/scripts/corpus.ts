/**
 * Tries a folder of sample policies and expressions (JSON lines: `{policy}` or `{cel, kind}`) and prints how many
 * compile and what the others are refused for. Usage: node packages/policy/scripts/corpus.ts FOLDER [--verbose]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPosternError } from '@postern/errors';
import { compilePolicy, type CompileOptions } from '../src/index.ts';

interface Line {
  readonly policy?: object;
  readonly cel?: string;
  readonly kind?: string;
  readonly tags?: readonly string[];
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

/** The first protocol under which it compiles, else why it does not under the first. */
function refusal(policies: readonly (readonly [object, CompileOptions])[]): string | null {
  let first: string | null = null;
  for (const [policy, options] of policies) {
    try {
      compilePolicy(policy, options);
      return null;
    } catch (error) {
      if (!isPosternError(error)) throw error;
      first ??= `${error.number} ${error.message}`;
    }
  }
  return first;
}

function report(title: string, results: readonly (readonly [Line, string | null])[]): void {
  const refused = results.filter(([, reason]) => reason !== null);
  process.stdout.write(`${title}: ${results.length - refused.length} of ${results.length} compile\n`);
  const groups = new Map<string, number>();
  for (const [line, reason] of refused) {
    const what = (reason ?? '').replace(/^(\d+) [^ ]+: /, '$1 ').slice(0, flag === '--verbose' ? 400 : 110);
    groups.set(what, (groups.get(what) ?? 0) + 1);
    if (flag === '--verbose') process.stdout.write(`  ${line.cel ?? ''} ${(line.tags ?? []).join(' ')} ${reason}\n`);
  }
  for (const [what, count] of [...groups].toSorted((a, b) => b[1] - a[1]))
    process.stdout.write(`  ${count} × ${what}\n`);
}

const options = (protocol: (typeof PROTOCOLS)[number]): CompileOptions => ({
  protocol,
  binding: 'public',
  kind: 'agent',
});

report(
  'documents',
  lines.flatMap((line) => {
    const { policy } = line;
    return policy === undefined
      ? []
      : [[line, refusal(PROTOCOLS.map((protocol) => [policy, options(protocol)]))] as const];
  }),
);

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
