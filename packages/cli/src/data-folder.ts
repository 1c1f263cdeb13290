import process from 'node:process';
import type { Command } from 'commander';
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
