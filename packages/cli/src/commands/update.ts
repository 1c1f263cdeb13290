import process from 'node:process';
import type { Command } from 'commander';
import { LOG_FLAGS } from '../flags/agent-flags.ts';
import { addFlag } from '../flags/flag.ts';
import { VERSION } from '../version.ts';

/** `postern update`: the agent does not replace itself; whoever installed it does. */
export function addUpdateCommand(program: Command): void {
  const command = program.command('update').description('say how to update');
  command.option('--channel <name>', 'there is one');
  for (const flag of LOG_FLAGS) addFlag(command, flag, true);
  command.action(() => {
    process.stdout.write(
      `This is version ${VERSION}. It is updated the way it was installed: npm install -g FILE of the new version, or ` +
        'git pull in a clone.\n',
    );
  });
}
