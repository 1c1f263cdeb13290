import process from 'node:process';
import type { Command } from 'commander';
import { configPaths, configToWrite } from '../config/paths.ts';
import { CONFIG_FLAG, LOG_FLAGS } from '../flags/agent-flags.ts';
import { addFlag, listOf, switchOf, type FlagValues } from '../flags/flag.ts';
import { UsageError, onUsageErrors } from '../usage-error.ts';

/** What `config add-…` saves: the key of the file, and what is said of it (wrappers look for these words). */
const SAVED = [
  { verb: 'add-authtoken', key: 'authtoken', value: 'token', what: 'Authtoken' },
  { verb: 'add-api-key', key: 'api_key', value: 'key', what: 'API key' },
  { verb: 'add-connect-url', key: 'connect_url', value: 'host:port', what: 'Connect URL' },
] as const;

/** `postern config`: the agent's configuration file. */
export function addConfigCommand(program: Command): void {
  const config = program.command('config').description('the configuration file of the agent');
  for (const { verb, key, value, what } of SAVED) {
    const command = config.command(verb).argument(`<${value}>`).description(`save the ${what} in the configuration`);
    if (verb === 'add-connect-url') command.alias('add-server-addr');
    whoseConfig(command, (values, text) => save(key, what, String(text), values));
  }
  whoseConfig(config.command('check').description('say what is wrong with it, with line and column'), check);
  whoseConfig(config.command('edit').description('open it in $EDITOR'), edit);
  const upgrade = config
    .command('upgrade')
    .argument('[version]', '3')
    .description('write it as version 3; the file that was there is kept beside it');
  addFlag(upgrade, { name: 'dry-run', help: 'print what it would be' });
  addFlag(upgrade, { name: 'relocate', help: 'move it to where it is found by itself' });
  whoseConfig(upgrade, (values, version) => runUpgrade(values, typeof version === 'string' ? version : '3'));

  // As agents before version 3 had it; wrappers still do.
  const old = program.command('authtoken', { hidden: true }).argument('<token>');
  whoseConfig(old, (values, token) => save('authtoken', 'Authtoken', String(token), values));
}

function whoseConfig(command: Command, run: (values: FlagValues, argument: unknown) => Promise<void>): void {
  for (const flag of [CONFIG_FLAG, ...LOG_FLAGS]) addFlag(command, flag, flag !== CONFIG_FLAG);
  const name = command.parent?.name() === 'config' ? `config ${command.name()}` : command.name();
  command.action(async (...given: unknown[]) => {
    const values = command.opts<FlagValues>();
    await onUsageErrors(name, () => run(values, given.length > 2 ? given[0] : undefined));
  });
}

async function save(key: string, what: string, value: string, values: FlagValues): Promise<void> {
  const { setKeys } = await import('../config/write-config.ts');
  const file = configToWrite(listOf(values, 'config'), process.env);
  await setKeys(file, { [key]: value.trim() });
  process.stdout.write(`${what} saved to configuration file: ${file}\n`);
  if (key !== 'authtoken') return;
  const { readConfig } = await import('../config/read-config.ts');
  const { settings } = await readConfig([file]).catch(() => ({ settings: { connect_url: '' } }));
  if (settings.connect_url === undefined)
    process.stdout.write('It is sent to no server until one is named: postern config add-connect-url host:port\n');
}

async function check(values: FlagValues): Promise<void> {
  const { readConfig } = await import('../config/read-config.ts');
  const { ownConfigPath } = await import('../config/paths.ts');
  const files = configPaths(listOf(values, 'config'), process.env, { foreign: true });
  if (files.length === 0) {
    process.stdout.write(`There is no configuration file. It would be ${ownConfigPath()}\n`);
    return;
  }
  const { prepare } = await import('../agent/tunnels.ts');
  try {
    const { endpoints } = await readConfig(files);
    for (const definition of endpoints.values()) await prepare(definition);
    process.stdout.write(`Valid configuration file at ${files.join(', ')}\n`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // That is what was asked, and not a mistake of typing.
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

async function edit(values: FlagValues): Promise<void> {
  const { editConfig } = await import('../config/edit-config.ts');
  await editConfig(configToWrite(listOf(values, 'config'), process.env));
}

async function runUpgrade(values: FlagValues, version: string): Promise<void> {
  const { upgradeFile } = await import('../config/upgrade-file.ts');
  await upgradeFile({
    files: configPaths(listOf(values, 'config'), process.env, { foreign: true }),
    version,
    dryRun: switchOf(values, 'dry-run') === true,
    relocate: switchOf(values, 'relocate') === true,
  });
}
