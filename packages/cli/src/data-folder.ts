import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { newestRuntime } from '@postern/server/runtime';
import { readSettings } from './settings.ts';

/** Flags of the commands that work on a data folder. */
export interface DataFolderFlags {
  readonly dataDir?: string;
  readonly config?: string;
}

/** The same words for the same thing as in `postern server`. */
export function addDataFolderFlags(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'data folder of the server (default: as of "postern server") [POSTERN_DATA_DIR]')
    .option('--config <file>', 'YAML file of the server, read for its data folder [POSTERN_CONFIG]');
}

export async function dataFolder(flags: DataFolderFlags): Promise<string> {
  const settings = await readSettings(flags.dataDir === undefined ? {} : { data_dir: [flags.dataDir] }, flags.config);
  return settings.dataDir;
}

/**
 * The same for commands that need a database there. Where nothing names the folder and the default one has none, that of
 * this user's running server is meant.
 * @throws StoreRefused that says `--data-dir`
 */
export async function folderWithDatabase(flags: DataFolderFlags): Promise<string> {
  const { StoreRefused, storePaths } = await import('@postern/server');
  const directory = await dataFolder(flags);
  const { database } = storePaths(directory);
  if (existsSync(database)) return directory;
  const named = [flags.dataDir, flags.config, process.env['POSTERN_DATA_DIR'], process.env['POSTERN_CONFIG']];
  const running = named.some((text) => (text ?? '') !== '') ? null : await newestRuntime();
  if (running !== null) return path.dirname(running.ca_path);
  throw new StoreRefused(
    'no_access',
    `there is no database at ${database}. Name the data folder that the server was started with: --data-dir <folder>.`,
  );
}

/**
 * Runs what a command does on a data folder; what it refuses is said on stderr. Exit code 1 for a refusal, 2 for a
 * setting that cannot be used.
 */
export async function onDataFolder(name: string, action: () => Promise<void>): Promise<void> {
  const { ConfigError, StoreRefused } = await import('@postern/server');
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StoreRefused)) throw error;
    process.stderr.write(`postern ${name}: ${error.message}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  }
}

/** "3 resources of 1 account", as people say it. */
export function contents(summary: { readonly resources: number; readonly accounts: number }): string {
  return `${count(summary.resources, 'resource')} of ${count(summary.accounts, 'account')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
