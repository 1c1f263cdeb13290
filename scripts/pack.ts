/**
 * `npm run pack [-- --out FOLDER]`: makes `postern-VERSION.tgz`, the package that `npm install -g FILE` installs. All of
 * Postern is bundled in it, pages and types too; it depends on nothing but the Node that it brings.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { inspectorPages } from '@postern/ui';
import { bundle } from './pack/bundle.ts';
import { declarations } from './pack/declarations.ts';
import { licencesOf, packagesOfPages } from './pack/licences.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: '.' } } });
const out = path.resolve(process.env['INIT_CWD'] ?? process.cwd(), values.out);
const stage = await mkdtemp(path.join(tmpdir(), 'postern-pack-'));
try {
  const dist = path.join(stage, 'dist');
  const bundled = await bundle(dist);
  await cp(await inspectorPages(), path.join(dist, 'inspector'), {
    recursive: true,
    filter: (file) => path.basename(file) !== '.vite',
  });
  const types = await declarations(path.join(dist, 'types'));
  await cp(path.join(root, 'packages', 'cli', 'bin'), path.join(stage, 'bin'), { recursive: true });
  for (const file of ['LICENSE', 'NOTICE', 'CHANGELOG.md', 'README.md'])
    await cp(path.join(root, file), path.join(stage, file));
  await cp(path.join(root, 'docs'), path.join(stage, 'docs'), {
    recursive: true,
    filter: (file) => path.extname(file) === '' || file.endsWith('.md'),
  });
  await writeFile(path.join(stage, 'THIRD-PARTY.txt'), licencesOf([...bundled, ...packagesOfPages()]));
  await writeFile(path.join(stage, 'package.json'), `${JSON.stringify(await manifest(types), null, 2)}\n`);
  await mkdir(out, { recursive: true });
  const file = path.join(out, pack());
  const { size } = await stat(file);
  process.stdout.write(`${file} (${(size / 1e6).toFixed(1)} MB, ${bundled.size} packages bundled)\n`);
} finally {
  await rm(stage, { recursive: true, force: true });
}

async function manifest(types: string): Promise<object> {
  const read = async <T>(...file: string[]): Promise<T> => {
    const parsed: T = JSON.parse(await readFile(path.join(root, ...file), 'utf8'));
    return parsed;
  };
  const { name, version, description, license, bin, type } = await read<Record<string, unknown>>(
    'packages',
    'cli',
    'package.json',
  );
  const { engines, optionalDependencies } = await read<Record<string, Record<string, string>>>('package.json');
  return {
    name,
    version,
    description,
    license,
    bin,
    type,
    engines,
    exports: {
      './agent': { types: `./dist/types/${types.split(path.sep).join('/')}`, default: './dist/agent.js' },
      './package.json': './package.json',
    },
    // The Node of each platform; what else is optional in the clone serves its tests.
    optionalDependencies: Object.fromEntries(
      Object.entries(optionalDependencies ?? {}).filter(([dependency]) => dependency.startsWith('node-')),
    ),
  };
}

/** @returns the name of the file in `out` */
function pack(): string {
  const npm = process.env['npm_execpath'];
  const [program, ...before] = npm?.endsWith('.js') === true ? [process.execPath, npm] : ['npm'];
  const args = [...before, 'pack', stage, '--pack-destination', out, '--loglevel=error'];
  const result = spawnSync(program, args, { encoding: 'utf8', shell: process.platform === 'win32' });
  // The last line: scripts of npm's own may speak before.
  const file = result.status === 0 ? result.stdout.trim().split('\n').at(-1) : undefined;
  if (file === undefined) throw new Error(`npm pack failed:\n${result.stderr}`);
  return file;
}
