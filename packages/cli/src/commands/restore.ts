import path from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { type DataFolderFlags, addDataFolderFlags, contents, dataFolder, onDataFolder } from '../data-folder.ts';

/** `postern restore`: a backup in the place of the database. */
export function addRestoreCommand(program: Command): void {
  const command = program
    .command('restore')
    .description('put a backup in the place of the database; the server must not be running')
    .argument('<file>', 'what "postern backup" wrote');
  addDataFolderFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  postern restore /var/backups/postern-2026-11-24.db --data-dir /var/lib/postern

The backup is checked before anything changes, and the database that is there is kept under another name. The
encryption key must be the one that the backup was made with.`,
    )
    .action((file: string, flags: DataFolderFlags) => onDataFolder('restore', () => run(file, flags)));
}

async function run(file: string, flags: DataFolderFlags): Promise<void> {
  const { loadKey, restoreStore, storePaths } = await import('@postern/server');
  const directory = await dataFolder(flags);
  const paths = storePaths(directory);
  const from = path.resolve(file);
  const encryptionKey = await loadKey(directory, { given: process.env['POSTERN_ENCRYPTION_KEY'] });
  process.stdout.write(`Checking ${from} and copying it to ${directory} …\n`);
  const restored = await restoreStore({ from, directory, ...(encryptionKey === null ? {} : { encryptionKey }) });
  process.stdout.write(`Restored: ${restored.path} (${contents(restored)}).\n`);
  if (restored.previous !== null) {
    process.stdout.write(`The database that was there is kept as ${restored.previous}\n`);
  }
  if (encryptionKey === null) {
    process.stdout.write(
      `Before the server starts, put the encryption key that belongs to the backup at ${paths.key}, or give it as ` +
        `POSTERN_ENCRYPTION_KEY.\n`,
    );
  }
  process.stdout.write(
    `API keys and authtokens are those of the backup. Should the files api_key and authtoken beside it be of another ` +
      `time, "postern server --reset-credentials" makes new ones.\n`,
  );
}
