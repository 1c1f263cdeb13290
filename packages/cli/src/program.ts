import process from 'node:process';
import { Command } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addCertificatesCommand } from './commands/certificates.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDiagnoseCommand } from './commands/diagnose.ts';
import { addLoginCommand } from './commands/login.ts';
import { addPolicyCommand } from './commands/policy.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addServerCommand } from './commands/server.ts';
import { addServiceCommand } from './commands/service.ts';
import { addStartCommand } from './commands/start.ts';
import { addTunnelCommands } from './commands/tunnel.ts';
import { addUpdateCommand } from './commands/update.ts';
import { VERSION } from './version.ts';

/**
 * The command tree; `whole`: for completions, which have the rest of it. Exit codes: 0 done, 1 failed, 2 what was typed
 * cannot be meant (agent-and-ux.md §1.6).
 */
export function createProgram({ whole = false } = {}): Command {
  const program = new Command('postern')
    .description(
      'Postern gives services behind any NAT a public address. Run the platform with "postern server", share a local ' +
        'service with "postern http 3000". Compatible with ngrok\'s public API and agents; not affiliated.',
    )
    .version(`postern version ${VERSION}`, '--version', 'print the version')
    .showHelpAfterError('(run with --help to see what is possible)')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    // Set before the commands are added: they take it over. 1 is commander's for anything that it refuses.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  addServerCommand(program);
  addTunnelCommands(program);
  addStartCommand(program);
  addConfigCommand(program);
  addLoginCommand(program);
  addCertificatesCommand(program);
  addBackupCommand(program);
  addRestoreCommand(program);
  addPolicyCommand(program);
  addDiagnoseCommand(program);
  addServiceCommand(program);
  addUpdateCommand(program);
  if (!whole) {
    // What is below them is made when they are called (api/run-api.ts, completion.ts).
    program.command('api').description('call the REST API: postern api endpoints list');
    program.command('completion').description('print the completion script of a shell: postern completion bash');
  }
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`postern version ${VERSION}\n`);
    });
  return program;
}
