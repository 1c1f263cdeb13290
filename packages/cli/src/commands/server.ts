import process from 'node:process';
import type { Command } from 'commander';
import { type RawSettings, SERVER_OPTIONS, type SettingKey, flagOf, variableOf } from '@postern/server/options';
import { CLONE_ROOT } from '../package-root.ts';
import { readSettings } from '../settings.ts';
import { firstStopSignal } from '../stop-signal.ts';
import { VERSION } from '../version.ts';
import { addServerInitCommand } from './server-init.ts';

/** Flags of `postern server`, as commander gives them: settings by their names, and the rest. */
type ServerFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** `postern server`: the platform. */
export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .description('run the platform: API, public ingress, agent listener')
    .option('--config <file>', 'YAML file with the settings below (keys with underscores) [POSTERN_CONFIG]')
    .option('--demo', 'publish a sample application and two endpoints to try')
    .option('--reset-credentials', 'make a new first API key and authtoken, and end the old ones');
  for (const { key, kind, value, help, default: fallback } of SERVER_OPTIONS) {
    const shown = fallback === '' ? '' : ` (default: ${fallback})`;
    const text = `${help}${shown} [${variableOf(key)}]`;
    if (kind === 'switch') command.option(`${flagOf(key)} [${value}]`, text);
    else if (kind === 'list') command.option(`${flagOf(key)} <${value}>`, text, collect);
    else command.option(`${flagOf(key)} <${value}>`, text);
  }
  command
    .addHelpText(
      'after',
      `
Examples:
  postern server --demo
  postern server --base-domain tunnel.example.com --http-listen 0.0.0.0:80 --https-listen 0.0.0.0:443 \\
                 --agent-listen 0.0.0.0:4443 --tls-certificate cert.pem,key.pem

A list may be given several times. A flag wins over the environment, that over the file, that over the default.
SIGHUP reads certificate files again; SIGTERM or Ctrl+C stops, and finishes what is in flight.`,
    )
    .action((flags: ServerFlags) => run(flags));
  addServerInitCommand(command);
}

async function run(flags: ServerFlags): Promise<void> {
  // Asked for before anything starts, so that a Ctrl+C during the start is not lost.
  const stop = firstStopSignal();
  // Loaded here, so that the other commands start without it.
  const { ConfigError, runServer } = await import('@postern/server');
  try {
    const { config: file } = flags;
    const config = await readSettings(settingsOf(flags), typeof file === 'string' ? file : undefined);
    process.exitCode = await runServer({
      config,
      version: VERSION,
      command: CLONE_ROOT === null ? 'postern' : 'npx postern',
      demo: flags['demo'] === true,
      resetCredentials: flags['resetCredentials'] === true,
      stop,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`postern server: ${error.message}\n`);
    process.exitCode = 2;
  }
}

function settingsOf(flags: ServerFlags): RawSettings {
  const settings: Partial<Record<SettingKey, readonly string[]>> = {};
  for (const { key } of SERVER_OPTIONS) {
    const value = flags[key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) settings[key] = typeof value === 'object' ? value : [String(value)];
  }
  return settings;
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
