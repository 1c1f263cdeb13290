import type { Command } from 'commander';
import { CONFIG_FLAG } from '../flags/agent-flags.ts';
import { addFlag, listOf, switchOf, type FlagValues } from '../flags/flag.ts';
import { onUsageErrors } from '../usage-error.ts';

const VERBS = [
  ['install', 'let the service manager run "start --all" at each start of the machine'],
  ['uninstall', 'stop it and take it away'],
  ['start', 'start it now'],
  ['stop', 'stop it'],
  ['restart', 'start it anew'],
] as const;

/** `postern service`: the agent under systemd (or launchd, untested). */
export function addServiceCommand(program: Command): void {
  const service = program.command('service').description('run the agent as a service of the machine, or of this user');
  for (const [verb, description] of VERBS) {
    const command = service.command(verb).description(description);
    addFlag(command, CONFIG_FLAG);
    addFlag(command, { name: 'server', help: 'the server in the place of the agent; of the machine, systemd only' });
    addFlag(command, { name: 'dry-run', help: 'print what would be written and run' });
    command.action(async (values: FlagValues) => {
      await onUsageErrors(`service ${verb}`, async () => {
        const { runService } = await import('../service/run-service.ts');
        await runService(verb, {
          config: listOf(values, 'config')?.at(-1),
          dryRun: switchOf(values, 'dry-run') === true,
          server: switchOf(values, 'server') === true,
        });
      });
    });
  }
}
