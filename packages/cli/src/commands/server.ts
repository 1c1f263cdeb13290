import process from 'node:process';
import type { Command, OptionValues } from 'commander';
import { SERVER_OPTIONS, flagOf, variableOf } from '@postern/server/options';
import { readSettings } from '../settings.ts';
import { VERSION } from '../version.ts';

/** `postern server`: the platform. */
export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .description('run the platform: API, public ingress, agent listener')
    .option('--config <file>', 'YAML file with the settings below (keys with underscores) [POSTERN_CONFIG]')
    .option('--demo', 'publish a sample application and two endpoints to try')
    .option('--reset-credentials', 'make a new first API key and authtoken, and end the old ones');
  for (const option of SERVER_OPTIONS) {
    const shown = option.default === '' ? '' : ` (default: ${option.default})`;
    const help = `${option.help}${shown} [${variableOf(option.key)}]`;
    if (option.kind === 'switch') command.option(flagOf(option.key), help);
    else if (option.kind === 'list') command.option(`${flagOf(option.key)} <${option.value}>`, help, collect);
    else command.option(`${flagOf(option.key)} <${option.value}>`, help);
  }
  command.addHelpText(
    'after',
    `
Examples:
  postern server --demo
  postern server --base-domain tunnel.example.com --http-listen 0.0.0.0:80 --https-listen 0.0.0.0:443 \\
                 --agent-listen 0.0.0.0:4443 --tls-certificate cert.pem,key.pem

A list may be given several times. Flag, then environment, then file, then default.`,
  );
  command.action((options: OptionValues) => run(options));
}

async function run(options: OptionValues): Promise<void> {
  // Loaded here, so that the other commands start without the platform's code.
  const { ConfigError, runServer } = await import('@postern/server');
  try {
    const flags: Record<string, readonly string[]> = {};
    for (const { key } of SERVER_OPTIONS) {
      const value: unknown = options[key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
      if (value !== undefined) flags[key] = Array.isArray(value) ? (value as string[]) : [String(value)];
    }
    const config = await readSettings(flags, options['config'] as string | undefined);
    const code = await runServer({
      config,
      version: VERSION,
      demo: options['demo'] === true,
      resetCredentials: options['resetCredentials'] === true,
    });
    // Everything has been closed in order; a handle that a library forgot must not keep the process.
    process.exit(code);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`postern server: ${error.message}\n`);
    process.exitCode = 2;
  }
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
