import { randomBytes as systemRandom } from 'node:crypto';
import { access, link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { storePaths } from './paths.ts';
import { StoreRefused } from './refused.ts';
import { KEY_BYTES } from './secrets.ts';

export interface KeyOptions {
  /** The value of POSTERN_ENCRYPTION_KEY; wins over the file, which is then neither read nor made. */
  readonly given?: string | undefined;
  readonly randomBytes?: (size: number) => Uint8Array;
}

/**
 * The installation's encryption key: given, or from `encryption.key` (mode 0600) in the data directory, made on first
 * use. A directory that has a database but no key gets no new one: nothing sealed before could be opened with it.
 * @throws StoreRefused `bad_key`, `no_access`
 */
export async function loadOrCreateKey(directory: string, options: KeyOptions = {}): Promise<Uint8Array> {
  const paths = storePaths(directory);
  const existing = await loadKey(directory, options);
  if (existing !== null) return existing;
  if (await exists(paths.database)) {
    throw new StoreRefused(
      'bad_key',
      `${paths.database} is there but its encryption key is not. Put the file encryption.key back next to it, or give ` +
        `the key as POSTERN_ENCRYPTION_KEY`,
    );
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const key = (options.randomBytes ?? systemRandom)(KEY_BYTES);
  await writeNew(paths.key, `${Buffer.from(key).toString('base64url')}\n`);
  // Two first starts at once: the file that won is the key of both.
  return (await readKey(paths.key)) ?? key;
}

/** The key that the server of this directory will use: given, or from its file; null when it would have to make one. */
export async function loadKey(directory: string, options: Pick<KeyOptions, 'given'> = {}): Promise<Uint8Array | null> {
  if (options.given !== undefined && options.given !== '') return parseKey(options.given, 'POSTERN_ENCRYPTION_KEY');
  return readKey(storePaths(directory).key);
}

/** 32 bytes as hex, base64 or base64url. `source` is named in the error; the value is not. */
export function parseKey(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, 'base64');
  throw new StoreRefused(
    'bad_key',
    `${source} must hold ${KEY_BYTES} random bytes as base64 or hex, for instance what "openssl rand -hex 32" prints`,
  );
}

async function readKey(path: string): Promise<Uint8Array | null> {
  try {
    return parseKey(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whole or not at all, on disk before it returns; an existing file stays as it is. */
async function writeNew(path: string, content: string): Promise<void> {
  const partial = `${path}.${systemRandom(6).toString('hex')}.new`;
  const file = await open(partial, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(partial, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(partial);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
