import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseSync } from 'oxc-parser';

const root = path.resolve(import.meta.dirname, '..', '..');
const PACKAGES = path.join(root, 'packages');
const ALL = '*';

/**
 * Writes the types of `postern/agent`, and of everything that they name, into `folder`.
 * @returns the file, relative to it, that the package's `types` names
 */
export async function declarations(folder: string): Promise<string> {
  const emitted = await mkdtemp(path.join(tmpdir(), 'postern-types-'));
  try {
    await emit(path.join(PACKAGES, 'cli', 'src', 'library.ts'), emitted);
    const entry = path.join(emitted, 'cli', 'src', 'library.d.ts');
    for (const [file, text] of await reachable(entry, emitted)) {
      const target = path.join(folder, path.relative(emitted, file));
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, text);
    }
    return path.join('cli', 'src', 'library.d.ts');
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function emit(entry: string, into: string): Promise<void> {
  const config = path.join(into, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    // `npm run check` does; here the paths of other packages' types would be missing.
    noCheck: true,
    outDir: into,
    rootDir: PACKAGES,
    typeRoots: [path.join(root, 'node_modules', '@types')],
    paths: facesOfPackages(),
  };
  const extend = path.join(root, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ extends: extend, compilerOptions, include: [], files: [entry] }));
  const result = spawnSync(
    process.execPath,
    [realpathSync(path.join(root, 'node_modules', '.bin', 'tsc')), '-p', config],
    { encoding: 'utf8' },
  );
  if (result.status !== 0) throw new Error(`types could not be written:\n${result.stdout}${result.stderr}`);
}

/**
 * Where each package's exports are. One that is found through a link of node_modules counts as somebody else's, and so does
 * what it imports, if the compiler, which reads files side by side, comes to it that way first: nothing is written of it.
 */
function facesOfPackages(): Record<string, string[]> {
  const faces: Record<string, string[]> = {};
  for (const folder of readdirSync(PACKAGES)) {
    const { name, exports }: Package = JSON.parse(readFileSync(path.join(PACKAGES, folder, 'package.json'), 'utf8'));
    for (const [as, file] of Object.entries(exports))
      faces[path.posix.join(name, as)] = [path.join(PACKAGES, folder, file)];
  }
  return faces;
}

interface Package {
  readonly name: string;
  /** Paths below the package, by what is asked for. */
  readonly exports: Readonly<Record<string, string>>;
}

/**
 * The declarations that `entry` needs. Of a file that only hands on what others declare, just the names that somebody
 * asks it for: the face of a package would bring the whole package otherwise.
 */
async function reachable(entry: string, emitted: string): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map<string, Set<string>>();
  const queue: (readonly [file: string, name: string])[] = [[entry, ALL]];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [file, name] = next;
    const names = wanted.get(file) ?? new Set();
    wanted.set(file, names);
    if (names.has(name)) continue;
    names.add(name);
    const parts = partsOf(file, await readFile(file, 'utf8'));
    for (const part of parts.links) {
      if (!part.target.startsWith('.') && !part.target.startsWith('@postern/')) continue;
      if (parts.onlyHandsOn && name !== ALL && part.as !== name && part.as !== ALL) continue;
      queue.push([fileOf(part.target, file, emitted), part.name]);
    }
  }
  const texts = new Map<string, string>();
  for (const [file, names] of wanted) texts.set(file, rewritten(file, await readFile(file, 'utf8'), names, emitted));
  return texts;
}

interface Link {
  readonly target: string;
  /** What is asked of it, and what it is called here. */
  readonly name: string;
  readonly as: string;
}

function partsOf(file: string, text: string): { readonly onlyHandsOn: boolean; readonly links: readonly Link[] } {
  const { program, module } = parseSync(file, text);
  const links: Link[] = [];
  for (const { moduleRequest, entries } of module.staticImports)
    for (const { importName, localName } of entries)
      links.push({ target: moduleRequest.value, name: importName.name ?? ALL, as: localName.value });
  for (const { entries } of module.staticExports)
    for (const { moduleRequest, importName, exportName } of entries)
      if (moduleRequest !== null)
        links.push({ target: moduleRequest.value, name: importName.name ?? ALL, as: exportName.name ?? ALL });
  const handsOn = program.body.every(
    (part) => (part.type === 'ExportNamedDeclaration' && part.source !== null) || part.type === 'ExportAllDeclaration',
  );
  return { onlyHandsOn: handsOn && program.body.length > 0, links };
}

/** The text with the names of files that programs outside find. */
function rewritten(file: string, text: string, names: ReadonlySet<string>, emitted: string): string {
  const point = (target: string): string => {
    if (!target.startsWith('.') && !target.startsWith('@postern/')) return target;
    const relative = path
      .relative(path.dirname(file), fileOf(target, file, emitted))
      .split(path.sep)
      .join('/');
    return `./${relative.replace(/\.d\.ts$/, '.js')}`.replace('./../', '../');
  };
  const parts = partsOf(file, text);
  if (!parts.onlyHandsOn || names.has(ALL))
    return text.replaceAll(/(from |import\()'([^']+)'/g, (_whole, before: string, target: string) => {
      return `${before}'${point(target)}'`;
    });
  const kept = parts.links.filter(({ as }) => names.has(as) || as === ALL);
  return kept
    .map(({ target, name, as }) =>
      as === ALL
        ? `export * from '${point(target)}';\n`
        : `export { ${name === as ? name : `${name} as ${as}`} } from '${point(target)}';\n`,
    )
    .join('');
}

function fileOf(target: string, from: string, emitted: string): string {
  const file = target.startsWith('@postern/')
    ? path.join(emitted, target.slice('@postern/'.length), 'src', 'index.d.ts')
    : path.resolve(path.dirname(from), target.replace(/\.ts$/, '.d.ts'));
  if (!existsSync(file)) throw new Error(`${from} names ${target}, of which there are no types`);
  return file;
}
