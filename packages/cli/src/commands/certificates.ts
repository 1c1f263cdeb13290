import process from 'node:process';
import type { Command } from 'commander';
import type * as Commands from '../certificates/run.ts';
import { CONFIG_FLAG } from '../flags/agent-flags.ts';
import { addFlag, listOf, switchOf, textOf, type Flag, type FlagValues } from '../flags/flag.ts';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

const COMMON: readonly Flag[] = [
  { name: 'json', help: 'print JSON alone' },
  {
    name: 'api-url',
    value: 'url',
    help: 'the API (default: of the configuration, else of the local server) [POSTERN_API_URL]',
  },
  { name: 'api-key', value: 'key', help: 'API key (default: the one stored for that API) [POSTERN_API_KEY]' },
  CONFIG_FLAG,
];
const WAIT: Flag = { name: 'wait', value: 'seconds', help: 'how long to wait for it (default: 120); 0 to order only' };
const WHERE: readonly Flag[] = [
  { name: 'port', value: 'port', help: 'where clients find the name (default: 443)' },
  { name: 'address', value: 'ip', help: 'ask there what is served (default: where the name leads)' },
];

/** `postern certificates`: what is served, from whom, until when, and what to do next. */
export function addCertificatesCommand(program: Command): void {
  const group = program
    .command('certificates')
    .description('certificates of the server: from whom, until when, what to do next')
    .addHelpText(
      'after',
      `
Examples:
  postern certificates list
  postern certificates check shop.customer.example
  postern certificates renew tun.example.com

Exit code: 0 when all is well, 1 when the server refused or an order fails, 2 when what was typed cannot be meant.`,
    );
  add(group, 'list', 'all of the account, and what to do next', [], ({ listAll }, _name, flags) => listAll(flags));
  add(group, 'show', 'all that is known of those for a name', [], ({ show }, name, flags) => show(name, flags));
  add(group, 'renew', 'order a new one now', [WAIT], ({ renewNamed }, name, flags) => renewNamed(name, flags));
  add(
    group,
    'check',
    'find out whether an order would succeed, and what clients meet',
    WHERE,
    ({ checkNamed }, name, flags) => checkNamed(name, flags),
  );
}

function add(
  group: Command,
  verb: string,
  description: string,
  flags: readonly Flag[],
  run: (commands: typeof Commands, name: string, flags: Commands.CertificateFlags) => Promise<void>,
): void {
  const command = group.command(verb).description(description);
  if (verb !== 'list') command.argument('<name>', 'a name in it, or its id');
  for (const flag of [...flags, ...COMMON]) addFlag(command, flag);
  command.action(async () => {
    const values = command.opts<FlagValues>();
    try {
      await run(await import('../certificates/run.ts'), command.args[0] ?? '', {
        json: switchOf(values, 'json') === true,
        apiUrl: textOf(values, 'api-url'),
        apiKey: textOf(values, 'api-key'),
        config: listOf(values, 'config'),
        wait: numberOf(values, 'wait', 120),
        port: numberOf(values, 'port', 443),
        address: textOf(values, 'address') ?? '',
      });
    } catch (error) {
      process.stderr.write(`postern certificates ${verb}: ${messageOf(error)}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  });
}

/** @throws UsageError */
function numberOf(values: FlagValues, name: string, preset: number): number {
  const text = textOf(values, name);
  if (text === undefined) return preset;
  if (!/^\d{1,5}$/.test(text)) throw new UsageError(`--${name} ${text}: it is a number.`);
  return Number(text);
}
