import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { agentFlags, CONFIG_FLAG, SERVER_FLAGS } from '../flags/agent-flags.ts';
import { addFlag, switchOf, textOf, type FlagValues } from '../flags/flag.ts';
import { messageOf } from '../problem.ts';
import { onUsageErrors, UsageError } from '../usage-error.ts';

const SIGNS = { ok: '[ OK ]', warn: '[ WARN ]', fail: '[ FAIL ]', skipped: '[ -- ]' } as const;

/** `postern diagnose`: the way from here to the server, step by step. */
export function addDiagnoseCommand(program: Command): void {
  const command = program.command('diagnose').description('test the way to the server, step by step');
  command.option('-6, --ipv6 [boolean]', 'over IPv6 alone');
  command.option('-w, --write-report <file>', 'write what was found as JSON');
  for (const flag of [...SERVER_FLAGS, CONFIG_FLAG]) addFlag(command, flag);
  command
    .addHelpText('after', '\nExit code: 0 when everything is right, 1 when something is not.')
    .action(async (values: FlagValues) => {
      await onUsageErrors('diagnose', () => run(values));
    });
}

async function run(values: FlagValues): Promise<void> {
  const { findServer } = await import('../find-server.ts');
  const { diagnose } = await import('../diagnose/diagnose.ts');
  const { proxyChooser } = await import('../agent/choose-proxy.ts');
  const { readAgentConfig } = await import('../config/agent-config.ts');
  const flags = agentFlags(values);
  const { settings } = await readAgentConfig(flags, { foreign: false });
  const say = (words: string): void => void process.stdout.write(`${words}\n`);
  const place = await findServer(flags, { settings, say: (words) => say(`Server: ${words}`) });
  say('');
  const family = switchOf(values, 'ipv6') === true || values['ipv6'] === 'true' ? 6 : 0;
  const findings = await diagnose(place, family, proxyChooser(flags.proxyUrl ?? settings.proxy_url));
  let section = place.addresses.length > 1 ? '' : findings[0]?.section;
  for (const finding of findings) {
    if (finding.section !== section) say(`${section === '' ? '' : '\n'}${finding.section}`);
    section = finding.section;
    const { check, result, words } = finding;
    say(`${check.padEnd(24)}${SIGNS[result]}  ${words}`.trimEnd());
  }
  const failed = findings.some(({ result }) => result === 'fail');
  const report = textOf(values, 'write-report');
  if (report !== undefined) {
    try {
      await writeFile(
        path.resolve(report),
        `${JSON.stringify({ server: place.addresses.join(','), ok: !failed, findings }, null, 2)}\n`,
      );
    } catch (cause) {
      throw new UsageError(`${report} cannot be written (${messageOf(cause)}).`, { cause });
    }
  }
  say(failed ? '\nSomething is wrong.' : '\nEverything is right.');
  if (failed) process.exitCode = 1;
}
