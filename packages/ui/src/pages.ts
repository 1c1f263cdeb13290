import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

const PACKAGE = path.resolve(import.meta.dirname, '..');
const SOURCES = path.join(PACKAGE, 'web');
const CACHE = path.resolve(PACKAGE, '..', '..', 'node_modules', '.cache', 'postern');
const BUILD_MS = 120_000;
/** Pages of sources that have changed since are removed after this long. */
const STALE_MS = 7 * 24 * 3600 * 1000;

let inspector: Promise<string> | undefined;

/**
 * The folder with the inspector's pages. A clone holds their sources: the first who asks has them built, once for these
 * sources, in a process of its own, so that no traffic waits (docs/decisions/0019-pages-are-built-when-asked-for.md).
 * Rejects with words for people where they cannot be built.
 */
export function inspectorPages(): Promise<string> {
  inspector ??= pagesOf('inspector').catch((error: unknown) => {
    inspector = undefined;
    throw error;
  });
  return inspector;
}

async function pagesOf(name: string): Promise<string> {
  const built = path.join(PACKAGE, 'dist', name);
  if (await exists(path.join(built, 'index.html'))) return built;
  const folder = path.join(CACHE, `pages-${name}-${await digest(name)}`);
  if (await exists(path.join(folder, 'index.html'))) return folder;
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(path.join(CACHE, `making-${name}-`));
  try {
    await build(name, fresh);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!(await exists(path.join(folder, 'index.html')))) throw error;
  }
  await removeStale(name, folder);
  return folder;
}

async function build(name: string, into: string): Promise<void> {
  const script = path.join(PACKAGE, 'scripts', 'build.ts');
  const child = spawn(process.execPath, [script, name, into], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const late = setTimeout(() => child.kill('SIGKILL'), BUILD_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(late);
  if (code !== 0) throw new Error(`they could not be built; "npm ci" installs what that needs.\n${said}`);
}

/** Of everything that they are made of. */
async function digest(name: string): Promise<string> {
  const hash = createHash('sha256').update(`${process.versions.node}\0`);
  const files = ['package.json', 'scripts/build.ts', 'tsconfig.json'].map((file) => path.join(PACKAGE, file));
  for (const folder of ['shared', name]) {
    const entries = await readdir(path.join(SOURCES, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) if (entry.isFile()) files.push(path.join(entry.parentPath, entry.name));
  }
  for (const file of files.toSorted())
    hash
      .update(`${path.relative(PACKAGE, file)}\0`)
      .update(await readFile(file))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

async function removeStale(name: string, kept: string): Promise<void> {
  for (const entry of await readdir(CACHE)) {
    const folder = path.join(CACHE, entry);
    if (folder === kept || !(entry.startsWith(`pages-${name}-`) || entry.startsWith(`making-${name}-`))) continue;
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(folder, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
