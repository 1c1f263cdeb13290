import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Document, isMap, parseDocument } from 'yaml';
import { codeOf, messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { ConfigProblem } from './config-problem.ts';
import { versionOf } from './read-config.ts';

/** Keys that commands write, and what version 2 calls them. */
const NAMES_BEFORE: Readonly<Record<string, string>> = { connect_url: 'server_addr', connect_cas: 'root_cas' };

/**
 * Sets keys of the agent's configuration. The file is made when it is not there, and everything else in it, comments too,
 * stays as it is. It may hold secrets, so that only its owner may read it.
 * @throws UsageError when the file cannot be read or written, or is no YAML
 */
export async function setKeys(file: string, keys: Readonly<Record<string, string>>): Promise<void> {
  const document = await documentOf(file);
  const isOld = versionOf(document) === '2';
  for (const [key, value] of Object.entries(keys)) {
    if (isOld) document.set(NAMES_BEFORE[key] ?? key, value);
    else document.setIn(['agent', key], value);
  }
  await writePrivately(file, document.toString());
}

async function documentOf(file: string): Promise<Document> {
  const text = await textIfThere(file);
  if (text === null || text.trim() === '') return new Document({ version: 3 });
  const document = parseDocument(text, { schema: 'core', version: '1.2', logLevel: 'silent' });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ConfigProblem([`${file}: ${broken.message.split('\n', 1)[0] ?? ''}`]);
  if (!isMap(document.contents)) throw new ConfigProblem([`${file}: this is no configuration; it is a map of keys`]);
  return document;
}

export async function textIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw new UsageError(`${file} cannot be read (${messageOf(cause)}).`, { cause });
  }
}

/** Whole or not at all. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const beside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(beside, text, { mode: 0o600 });
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new UsageError(`${file} cannot be written (${messageOf(cause)}).`, { cause });
  }
}
