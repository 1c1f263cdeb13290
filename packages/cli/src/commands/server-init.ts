import type { Command } from 'commander';
import { addFlag, listOf, switchOf, textOf, type Flag, type FlagValues } from '../flags/flag.ts';
import { onUsageErrors, UsageError } from '../usage-error.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'address',
    value: 'ip',
    many: 'times',
    help: 'address of this machine as others reach it (default: public ones of its interfaces)',
  },
  { name: 'email', value: 'address', help: 'for the command that is printed' },
  { name: 'resolver', value: 'address:port', help: "DNS server that is asked (default: the system's)" },
  { name: 'http-port', value: 'port', help: 'where visitors come over HTTP (default: 80)' },
  { name: 'https-port', value: 'port', help: 'where they come over HTTPS (default: 443)' },
  { name: 'json', help: 'print one JSON object' },
];

/** `postern server init`: before the first start. */
export function addServerInitCommand(server: Command): void {
  const command = server
    .command('init')
    .description('check DNS records and ports of a domain, and print what to create and the command to run')
    .argument('<domain>', 'under which names are to be, as tun.example.com');
  for (const flag of FLAGS) addFlag(command, flag);
  command
    .addHelpText(
      'after',
      `
Examples:
  postern server init tun.example.com --email me@example.com
  postern server init tun.example.com --address 203.0.113.7

Ports are held for a moment, and the addresses of the domain are asked for a word that only this process knows. That
is as near to "from outside" as one machine comes; some routers do not lead back to themselves.

Exit code: 0 when nothing is missing, 1 when something is, 2 when what was typed cannot be meant.`,
    )
    .action(async (domain: string, values: FlagValues) => {
      await onUsageErrors('server init', async () => {
        const { initServer } = await import('../server-init/run.ts');
        await initServer(domain, {
          address: listOf(values, 'address') ?? [],
          resolver: textOf(values, 'resolver') ?? '',
          httpPort: portOf(values, 'http-port', 80),
          httpsPort: portOf(values, 'https-port', 443),
          email: textOf(values, 'email') ?? '',
          json: switchOf(values, 'json') === true,
        });
      });
    });
}

/** @throws UsageError */
function portOf(values: FlagValues, name: string, preset: number): number {
  const text = textOf(values, name);
  if (text === undefined) return preset;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UsageError(`--${name} ${text}: it is a port, 1 to 65535.`);
  return port;
}
