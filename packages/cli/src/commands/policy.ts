import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { SCHEMES, type Scheme } from '@postern/link';
import { messageOf } from '../problem.ts';
import { addExplainCommand } from './policy-explain.ts';
import { addTestCommand } from './policy-test.ts';
import type { Finding } from '../policy-check.ts';

interface CheckFlags {
  readonly protocol?: Scheme;
  readonly kind: 'agent' | 'cloud';
  readonly json?: true;
}

interface Checked {
  readonly file: string;
  readonly ok: boolean;
  readonly problems: readonly Finding[];
}

/** `postern policy`: traffic policies, without a server. */
export function addPolicyCommand(program: Command): void {
  const policy = program.command('policy').description('check, try and test traffic policies, without a server');
  policy
    .command('check')
    .description('say everything that is wrong with policies, with line and column')
    .argument('<files...>', 'policies, JSON or YAML; - is what comes in')
    .addOption(
      new Option('--protocol <name>', 'of the endpoint (default: one that the policy is right for)').choices(SCHEMES),
    )
    .addOption(
      new Option('--kind <name>', 'of the endpoint: a cloud endpoint has no service, so every path has to answer')
        .choices(['agent', 'cloud'])
        .default('agent'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  postern policy check policy.yml
  postern policy check --kind cloud --json *.yml

Exit code: 0 when nothing is wrong, 1 when something is, 2 when a file cannot be read.`,
    )
    .action((files: readonly string[], flags: CheckFlags) => check(files, flags));
  addExplainCommand(policy);
  addTestCommand(policy);
}

async function check(files: readonly string[], flags: CheckFlags): Promise<void> {
  const { findingsIn } = await import('../policy-check.ts');
  const checked: Checked[] = [];
  for (const file of files) {
    const source = await read(file);
    if (source === null) continue;
    const problems = findingsIn(source, flags.protocol, flags.kind);
    if (problems.length > 0) process.exitCode ??= 1;
    checked.push({ file, ok: problems.length === 0, problems });
  }
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ files: checked }, null, 2)}\n`);
  else for (const one of checked) process.stdout.write(inWords(one));
}

async function read(file: string): Promise<string | null> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    process.stderr.write(`postern policy check: ${messageOf(error)}\n`);
    process.exitCode = 2;
    return null;
  }
}

/** As editors and CI systems read it: `file:line:column: words`. */
function inWords({ file, problems }: Checked): string {
  if (problems.length === 0) return `${file}: ok\n`;
  return problems
    .map(({ line, column, message, code }) => `${file}:${line}:${column}: ${message} (${code})\n`)
    .join('');
}
