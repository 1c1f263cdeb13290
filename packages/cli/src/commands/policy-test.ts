import process from 'node:process';
import type { Command } from 'commander';
import { messageOf } from '../problem.ts';
import type { TestRun } from '../policy-tests.ts';

interface TestFlags {
  readonly watch?: true;
  readonly json?: true;
}

export function addTestCommand(policy: Command): void {
  policy
    .command('test')
    .description('run tests of policies: given requests, expected verdicts')
    .argument('<files...>', 'files of tests, YAML or JSON')
    .option('--watch', 'run them again whenever they or their policies change')
    .option('--json', 'print one JSON object for each run')
    .addHelpText(
      'after',
      `
A file of tests names its policy, and says what comes of requests:

  policy: policy.yml
  secrets: { wiki: { ben: battery staple } }
  tests:
    - name: nobody comes in without a password
      request: GET https://wiki.example.com/
      expect: { status: 401, service: none }

docs/policy-tests.md has every field. Exit code: 0 when all is as expected, 1 when something is not, 2 when a file cannot
be read.`,
    )
    .action(run);
}

async function run(files: readonly string[], flags: TestFlags): Promise<void> {
  const { runPolicyTests, watchPolicyTests } = await import('../policy-tests.ts');
  const once = (): Promise<TestRun> => runPolicyTests(files, flags.json === true);
  const show = ({ text, code }: TestRun): void => {
    process.stdout.write(text);
    process.exitCode = code;
  };
  try {
    if (flags.watch === true) await watchPolicyTests(once, show);
    else show(await once());
  } catch (error) {
    process.stderr.write(`postern policy test: ${messageOf(error)}\n`);
    process.exitCode = 2;
  }
}
