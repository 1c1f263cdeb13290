import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { PACKAGE_ROOT } from '../package-root.ts';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { launchdPlist, systemdServerUnit, systemdUnit, type ServiceWish } from './units.ts';

export type ServiceVerb = 'install' | 'uninstall' | 'start' | 'stop' | 'restart';

const UNIT = 'postern-agent';
const SERVER_UNIT = 'postern';
const LABEL = 'postern.agent';

export interface ServiceOptions {
  readonly config: string | undefined;
  /** Prints what would be written and run. */
  readonly dryRun: boolean;
  /** The server in the place of the agent. */
  readonly server: boolean;
}

/** A service manager: where it keeps what it is told, and the words that make it act. */
interface Manager {
  readonly file: string;
  /** @param config absolute */
  readonly text: (config: string) => string;
  readonly commands: Readonly<Record<ServiceVerb, readonly (readonly string[])[]>>;
}

/**
 * `postern service`: the agent as a service of the machine, or of the user who is not root, with everything that the
 * configuration names (`start --all`).
 * @throws UsageError
 */
export async function runService(verb: ServiceVerb, { config, dryRun, server }: ServiceOptions): Promise<void> {
  const manager = server ? serverManager() : managerOf();
  const say = (words: string): void => void process.stdout.write(`${words}\n`);
  if (verb === 'install') {
    if (config === undefined) throw new UsageError('Name the configuration that the service runs with: --config FILE.');
    const file = path.resolve(config);
    if (!existsSync(file)) throw new UsageError(`There is no configuration file ${file}.`);
    const text = manager.text(file);
    if (dryRun) say(`# ${manager.file}\n${text}`);
    else await write(manager.file, text);
  } else if (!dryRun && !existsSync(manager.file)) {
    throw new UsageError(`The service is not installed (${manager.file} is not there).`);
  }
  for (const words of manager.commands[verb]) {
    if (dryRun) say(`# ${words.join(' ')}`);
    else run(words);
  }
  if (dryRun) return;
  if (verb === 'uninstall') await rm(manager.file, { force: true });
  say({ install: 'Installed', uninstall: 'Removed', start: 'Started', stop: 'Stopped', restart: 'Restarted' }[verb]);
}

/** This very command, as it was started, with other arguments. */
function commandOf(...args: readonly string[]): readonly string[] {
  const launcher = path.join(PACKAGE_ROOT, 'bin', 'postern.js');
  const script = existsSync(launcher) ? launcher : path.resolve(process.argv[1] ?? '');
  return [process.execPath, script, ...args];
}

/** The agent, with everything that the configuration names. */
function agentOf(scope: ServiceWish['scope'], config: string): ServiceWish {
  return { command: commandOf('start', '--all', '--log', 'stdout', '--config', config), scope };
}

function serverManager(): Manager {
  if (process.platform !== 'linux') throw new UsageError('A server becomes a service of ours under systemd only.');
  return {
    file: `/etc/systemd/system/${SERVER_UNIT}.service`,
    text: (config) => systemdServerUnit(commandOf('server'), config),
    commands: systemdCommands(['systemctl'], SERVER_UNIT),
  };
}

function managerOf(): Manager {
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'linux') return systemd(isRoot);
  if (process.platform === 'darwin') return launchd(isRoot);
  throw new UsageError(
    `On ${process.platform} there is no service of ours; let a service manager run "postern start --all".`,
  );
}

function systemd(isRoot: boolean): Manager {
  const systemctl = isRoot ? ['systemctl'] : ['systemctl', '--user'];
  const folder = isRoot
    ? '/etc/systemd/system'
    : path.join(process.env['XDG_CONFIG_HOME'] ?? path.join(homedir(), '.config'), 'systemd', 'user');
  return {
    file: path.join(folder, `${UNIT}.service`),
    text: (config) => systemdUnit(agentOf(isRoot ? 'system' : 'user', config)),
    commands: systemdCommands(systemctl, UNIT),
  };
}

function systemdCommands(systemctl: readonly string[], unit: string): Manager['commands'] {
  return {
    install: [
      [...systemctl, 'daemon-reload'],
      [...systemctl, 'enable', unit],
    ],
    uninstall: [[...systemctl, 'disable', '--now', unit]],
    start: [[...systemctl, 'start', unit]],
    stop: [[...systemctl, 'stop', unit]],
    restart: [[...systemctl, 'restart', unit]],
  };
}

/** Untested: no machine of ours has launchd. */
function launchd(isRoot: boolean): Manager {
  const folder = isRoot ? '/Library/LaunchDaemons' : path.join(homedir(), 'Library', 'LaunchAgents');
  const file = path.join(folder, `${LABEL}.plist`);
  const domain = isRoot ? 'system' : `gui/${process.getuid?.() ?? 0}`;
  return {
    file,
    text: (config) => launchdPlist(agentOf(isRoot ? 'system' : 'user', config), LABEL),
    commands: {
      install: [],
      uninstall: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      start: [['launchctl', 'bootstrap', domain, file]],
      stop: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      restart: [['launchctl', 'kickstart', '-k', `${domain}/${LABEL}`]],
    },
  };
}

async function write(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o644 });
  } catch (cause) {
    throw new UsageError(`${file} cannot be written (${messageOf(cause)}).`, { cause });
  }
}

function run([program = '', ...args]: readonly string[]): void {
  const result = spawnSync(program, args, { stdio: 'inherit' });
  if (result.error !== undefined) throw new UsageError(`${program} could not be run (${messageOf(result.error)}).`);
  if (result.status !== 0)
    throw new UsageError(`"${[program, ...args].join(' ')}" ended with code ${String(result.status)}.`);
}
