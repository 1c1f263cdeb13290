/** Why a database, a key or a backup is not touched, told so that its owner knows the next step. */

export type RefusalReason =
  /** Not readable as a database of ours: broken, cut off or parts of it missing. */
  | 'damaged'
  /** Written by a newer Postern. */
  | 'too_new'
  /** A database, but of another program. */
  | 'foreign'
  /** Its secrets were sealed with another key. */
  | 'wrong_key'
  /** The encryption key is missing or unreadable. */
  | 'bad_key'
  /** A running process has it. */
  | 'in_use'
  /** The operating system does not let us (permissions, missing folder, read-only). */
  | 'no_access'
  /** The file to write exists already. */
  | 'target_exists';

export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
  readonly reason: RefusalReason;
  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export function damaged(path: string, detail: string): StoreRefused {
  // SQLite's own words may come in several lines, the first of them a heading.
  const reason = detail.replace(/^\*{3}[^\n]*\*{3}\n/, '').replaceAll('\n', '; ');
  return new StoreRefused(
    'damaged',
    `The database ${path} is damaged (${reason}). Nothing was changed. Keep a copy of the file, then bring back a ` +
      `backup with: postern restore <backup file>`,
  );
}

export function tooNew(path: string, found: number, known: number): StoreRefused {
  return new StoreRefused(
    'too_new',
    `${path} was written by a newer Postern (schema version ${found}; this one knows versions up to ${known}). ` +
      `Run that newer version again, or bring back a backup from before the upgrade with: postern restore <backup file>`,
  );
}

export function foreign(path: string): StoreRefused {
  return new StoreRefused(
    'foreign',
    `${path} is a database, but not one of Postern. Choose another data directory (--data-dir) or move the file away`,
  );
}

export function wrongKey(path: string): StoreRefused {
  return new StoreRefused(
    'wrong_key',
    `The secrets in ${path} were encrypted with another key. Put back the encryption key that belongs to it (the file ` +
      `encryption.key of its data directory, or POSTERN_ENCRYPTION_KEY)`,
  );
}

export function inUse(directory: string, pid: number | null): StoreRefused {
  const who = pid === null ? 'Another process' : `Another process (pid ${pid})`;
  return new StoreRefused(
    'in_use',
    `${who} uses the data directory ${directory}. Stop it first, or choose another directory with --data-dir`,
  );
}

export function noAccess(path: string, detail: string): StoreRefused {
  return new StoreRefused(
    'no_access',
    `Cannot use ${path}: ${detail}. Check who owns it and what may be written there`,
  );
}

export function targetExists(path: string): StoreRefused {
  return new StoreRefused('target_exists', `${path} exists already. Choose another name, or remove it first`);
}
