import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import envPaths from 'env-paths';
import { UsageError } from '../usage-error.ts';

/** Where the agent's own configuration is, of this user. */
export function ownConfigPath(): string {
  return path.join(envPaths('postern', { suffix: '' }).config, 'agent.yml');
}

/** Those of the other agent, which are read and never written (agent-and-ux.md §1.3). */
function foreignConfigPaths(env: NodeJS.ProcessEnv): readonly string[] {
  const home = homedir();
  const old = path.join(home, '.ngrok2', 'ngrok.yml');
  switch (process.platform) {
    case 'darwin':
      return [path.join(home, 'Library', 'Application Support', 'ngrok', 'ngrok.yml'), old];
    case 'win32':
      return [path.join(env['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'), 'ngrok', 'ngrok.yml'), old];
    default:
      return [path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'ngrok', 'ngrok.yml'), old];
  }
}

/**
 * Files to read, in the order in which they are merged: those that were named (`--config a.yml,b.yml`, else
 * POSTERN_AGENT_CONFIG or NGROK_CONFIG), else our own where it is there.
 * @param foreign whether the other agent's file counts where we have none: for names of endpoints
 * @throws UsageError for a named file that is not there
 */
export function configPaths(
  named: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
  { foreign }: { readonly foreign: boolean },
): readonly string[] {
  const files = namedFiles(named, env);
  if (files !== null) {
    const missing = files.find((file) => !existsSync(file));
    if (missing !== undefined) throw new UsageError(`There is no configuration file ${missing}.`);
    return files;
  }
  const candidates = [ownConfigPath(), ...(foreign ? foreignConfigPaths(env) : [])];
  const first = candidates.find((file) => existsSync(file));
  return first === undefined ? [] : [first];
}

/** The one that `config add-…` writes: the last one named, else our own. */
export function configToWrite(named: readonly string[] | undefined, env: NodeJS.ProcessEnv): string {
  return namedFiles(named, env)?.at(-1) ?? ownConfigPath();
}

/** `trusted` and `host` are the authorities of the system; anything else is a file (agent-and-ux.md §1.3). */
export const isAuthorityWord = (text: string): boolean => text === 'trusted' || text === 'host';

function namedFiles(named: readonly string[] | undefined, env: NodeJS.ProcessEnv): readonly string[] | null {
  const words = named ?? listOf(env['POSTERN_AGENT_CONFIG'] ?? env['NGROK_CONFIG'] ?? '');
  return words.length === 0 ? null : words.map((file) => path.resolve(file));
}

const listOf = (text: string): readonly string[] => text.split(',').filter((file) => file !== '');
