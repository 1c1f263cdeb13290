import { stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { readRuntime } from '@postern/server/runtime';
import {
  type DataFolderFlags,
  addDataFolderFlags,
  contents,
  folderWithDatabase,
  onDataFolder,
} from '../data-folder.ts';

/** `postern backup`: the database as one new file, while the server runs or not. */
export function addBackupCommand(program: Command): void {
  const command = program
    .command('backup')
    .description('copy the database into one new file, also while the server runs')
    .argument('<file>', 'file to write; one that exists is not overwritten');
  addDataFolderFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  postern backup /var/backups/postern-$(date +%F).db --data-dir /var/lib/postern

Without --data-dir it is the default folder of "postern server", or else that of your running server.

The copy is one moment of the database, checked before it gets its name. It holds everything but the encryption key
(the file encryption.key of the data folder, or POSTERN_ENCRYPTION_KEY): keep that too, and somewhere else.
"postern restore" brings it back.`,
    )
    .action((file: string, flags: DataFolderFlags) => onDataFolder('backup', () => run(file, flags)));
}

async function run(file: string, flags: DataFolderFlags): Promise<void> {
  const { backupStore, storePaths } = await import('@postern/server');
  const directory = await folderWithDatabase(flags);
  const server = await readRuntime(directory);
  const meanwhile = server === null ? '' : `; the server (pid ${server.pid}) goes on meanwhile`;
  process.stdout.write(`Copying ${storePaths(directory).database}${meanwhile} …\n`);
  const summary = await backupStore({ directory, to: path.resolve(file) });
  const { size } = await stat(summary.path);
  process.stdout.write(
    `Written and checked: ${summary.path} (${contents(summary)}, ${Math.ceil(size / 1024)} KiB).\n` +
      `The encryption key is not in it. Keep that as well, apart from this file: ${storePaths(directory).key}\n`,
  );
}
