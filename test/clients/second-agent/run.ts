/**
 * The Go agent 2.3 from npm. It is asked what `test/system/second-agent.test.ts` asks of it, in a network namespace where
 * there is nothing but loopback; each test is a duty.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { goAgentProblem } from '../../support/agents/go-agent.ts';
import { namespaceProblem } from '../../support/namespace/namespace.ts';
import { repositoryRoot } from '../../support/platform.ts';
import type { Client } from '../harness/client.ts';
import { tryTool } from '../harness/toolchain.ts';

const NAME = 'agent 2.3';
const SUITE = 'the old Go agent';
const VITEST = path.join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs');

interface Results {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly duration?: number | null;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export const SECOND_AGENT: Client = {
  language: 'agent-2.3',
  part: 'agents',
  name: NAME,
  tools: [],
  run: async (report) => {
    const problem = goAgentProblem() || namespaceProblem();
    if (problem !== '') return report.add({ client: NAME, duty: 'all', outcome: 'skipped', why: problem });
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-second-agent-'));
    try {
      const file = path.join(folder, 'results.json');
      const tests = ['run', 'test/system/second-agent.test.ts', '--project=system', '-t', SUITE];
      const { output } = await tryTool({
        command: process.execPath,
        args: [VITEST, ...tests, '--reporter=json', `--outputFile=${file}`],
        cwd: repositoryRoot,
      });
      const { testResults }: Results = JSON.parse(await readFile(file, 'utf8').catch(() => '{"testResults":[]}'));
      const ran = testResults.flatMap(({ assertionResults }) => assertionResults);
      for (const { title, status, duration, failureMessages } of ran) {
        // Those of the other agent are left out by name.
        if (status !== 'passed' && status !== 'failed') continue;
        report.add({ client: NAME, duty: title, outcome: status, why: failureMessages.join('\n') }, duration ?? 0);
      }
      if (ran.every(({ status }) => status !== 'passed'))
        report.add({ client: NAME, duty: 'all', outcome: 'failed', why: output.slice(-4_000) });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
