import { Command } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addServerCommand } from './commands/server.ts';
import { addTunnelCommands } from './commands/tunnel.ts';
import { VERSION } from './version.ts';

/** The whole command tree. */
export function createProgram(): Command {
  const program = new Command('postern')
    .description(
      'Postern gives services behind any NAT a public address. Run the platform with "postern server",\n' +
        'share a local service with "postern http 3000". Compatible with ngrok\'s public API and agents; not affiliated.',
    )
    .version(`postern version ${VERSION}`, '--version', 'print the version')
    .showHelpAfterError('(run with --help to see what is possible)')
    .showSuggestionAfterError(true)
    .enablePositionalOptions();
  addServerCommand(program);
  addTunnelCommands(program);
  addBackupCommand(program);
  addRestoreCommand(program);
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`postern version ${VERSION}\n`);
    });
  return program;
}
