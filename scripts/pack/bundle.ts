import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { rolldown, type Plugin } from 'rolldown';

const root = path.resolve(import.meta.dirname, '..', '..');

/** Code that a thread or a process of ours begins with; what stands there is where it lies in the sources. */
const PROGRAM = /new URL\('(?:\.\/)?([\w-]+)\.ts', import\.meta\.url\)/g;

/**
 * Bundles the command and `postern/agent` into `folder`: entries `main.js` and `agent.js`, what threads and processes
 * begin with as `PACKAGE-NAME.js`, and what these share.
 * @returns folders of the packages in node_modules of which there is code in it
 */
export async function bundle(folder: string): Promise<ReadonlySet<string>> {
  await mkdir(folder, { recursive: true });
  const cli = path.join(root, 'packages', 'cli', 'src');
  const build = await rolldown({
    cwd: root,
    input: { main: path.join(cli, 'main.ts'), agent: path.join(cli, 'library.ts') },
    platform: 'node',
    // Its paths lead to types.
    tsconfig: false,
    // `postern/agent` runs in programs of others, whose Node may be as old as the launcher's.
    transform: {
      target: 'node20.19',
      inject: { 'Promise.withResolvers': [path.join(import.meta.dirname, 'with-resolvers.js'), 'withResolvers'] },
    },
    plugins: [programs],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`the bundle: ${log.message}`);
    },
  });
  try {
    // Neither minified nor mangled: a stack trace of somebody's server has to be readable.
    const { output } = await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].js', minify: false });
    const files = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    return new Set(files.map(packageOf).filter((found) => found !== null));
  } finally {
    await build.close();
  }
}

/** All code lies side by side in one folder, so that what is found beside a file in the sources is found in the bundle. */
const programs: Plugin = {
  name: 'programs',
  transform: {
    filter: { code: PROGRAM },
    handler(code, id) {
      const [, owner = ''] = /packages\/([\w-]+)\/src\//.exec(id.replaceAll(path.sep, '/')) ?? [];
      if (owner === '') return null;
      const replaced = code.replaceAll(PROGRAM, (_whole, name: string) => {
        const fileName = `${owner}-${name}.js`;
        this.emitFile({ type: 'chunk', id: path.join(path.dirname(id), `${name}.ts`), fileName });
        return `new URL('./${fileName}', import.meta.url)`;
      });
      return { code: replaced, map: null };
    },
  },
};

/** Folder of the package in node_modules that a file belongs to. */
function packageOf(file: string): string | null {
  const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll(path.sep, '/')) ?? [];
  return folder ?? null;
}
