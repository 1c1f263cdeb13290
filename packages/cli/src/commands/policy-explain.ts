import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { Option, type Command } from 'commander';
import { SCHEMES } from '@postern/link';
import { collect } from './collect.ts';
import type { ExplainFlags } from '../policy-explain.ts';
import { messageOf } from '../problem.ts';

export function addExplainCommand(policy: Command): void {
  policy
    .command('explain')
    .description('try a policy with one request, and say rule by rule what happens')
    .argument('<file>', 'the policy, JSON or YAML')
    .argument('[request...]', 'METHOD URL, or URL alone')
    .option('--request <request...>', 'the same, or a file with an HTTP request')
    .option('-H, --header <line>', 'a header of the request, "name: value"; repeatable', collect, [])
    .option('-d, --body <text>', 'its body; @FILE is what the file has')
    .option('--client-ip <address>', 'who sends it')
    .option('--sni <name>', 'the name that its ClientHello asks for')
    .option(
      '--given <file>',
      'what the policy may ask for: service, secrets, calls … as in files of "postern policy test"',
    )
    .addOption(new Option('--protocol <name>', "of the endpoint (default: the URL's)").choices(SCHEMES))
    .addOption(
      new Option('--kind <name>', 'of the endpoint: a cloud endpoint has no service')
        .choices(['agent', 'cloud'])
        .default('agent'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  postern policy explain policy.yml GET https://app.example.com/admin
  postern policy explain policy.yml --request request.http --client-ip 192.0.2.1
  postern policy explain policy.yml POST https://app.example.com/ -H 'content-type: application/json' -d @body.json

Exit code: 0 when the policy could be tried, 1 when something is wrong with it, 2 when what was typed cannot be meant.`,
    )
    .action(explain);
}

async function explain(file: string, words: readonly string[], flags: ExplainFlags): Promise<void> {
  try {
    const { explainPolicy } = await import('../policy-explain.ts');
    const source = await readFile(file, 'utf8');
    const { text, code } = await explainPolicy(file, source, words, flags);
    process.stdout.write(text);
    process.exitCode = code;
  } catch (error) {
    process.stderr.write(`postern policy explain: ${messageOf(error)}\n`);
    process.exitCode = 2;
  }
}
