import type { Command } from 'commander';
import { CONFIG_FLAG } from '../flags/agent-flags.ts';
import { addFlag, listOf, textOf, type FlagValues } from '../flags/flag.ts';
import { onUsageErrors } from '../usage-error.ts';

/** `postern login`: a server's address, authority and token, checked and stored in one step. */
export function addLoginCommand(program: Command): void {
  const command = program
    .command('login')
    .description('store a server, whom to trust and the token; the server prints the command')
    .argument('<server>', 'postern://host:port?ca=…, as the server prints it, or host:port');
  addFlag(command, {
    name: 'authtoken',
    value: 'token',
    help: 'authtoken (asked for if absent; read where nobody types)',
  });
  addFlag(command, { name: 'connect-cas', value: 'file', help: 'authority (PEM file) of the server' });
  addFlag(command, CONFIG_FLAG);
  command
    .addHelpText(
      'after',
      `
Examples:
  postern login 'postern://connect.tunnel.example.com:4443?ca=…'
  cat authtoken | postern login connect.tunnel.example.com:4443 --connect-cas ca.pem

Nothing is stored before the server has taken the token.`,
    )
    .action(async (server: string, values: FlagValues) => {
      await onUsageErrors('login', async () => {
        const { login } = await import('../login/login.ts');
        await login(server, {
          authtoken: textOf(values, 'authtoken'),
          connectCas: textOf(values, 'connect-cas'),
          config: listOf(values, 'config'),
        });
      });
    });
}
