import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..', '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What the pages for browsers are made of: everything that their package depends on. */
export function packagesOfPages(): readonly string[] {
  const found = new Set<string>();
  const add = (folder: string): void => {
    for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
      if (name.startsWith('@postern/')) continue;
      const dependency = folderOf(name, folder);
      if (found.has(dependency)) continue;
      found.add(dependency);
      add(dependency);
    }
  };
  add(path.join(root, 'packages', 'ui'));
  return [...found];
}

/** One text with name, version, licence and licence text of each package. @throws Error for one that states none */
export function licencesOf(folders: Iterable<string>): string {
  const parts = [...new Set([...folders].map((folder) => realpathSync(folder)))].map((folder) => {
    const { name, version, license, author } = manifestOf(folder);
    if (license === undefined) throw new Error(`${name} ${version} states no licence`);
    const by = typeof author === 'object' ? author.name : (author ?? 'its authors');
    const stated = `Copyright ${by}. The package carries no text of its licence, ${license}; LICENSE has Apache-2.0's.`;
    return { title: `${name} ${version} (${license})`, text: textsOf(folder) ?? stated };
  });
  const rule = '-'.repeat(80);
  return `${[
    'What is bundled in Postern beside its own code, with the licences of its authors.',
    ...parts
      .toSorted((one, other) => (one.title < other.title ? -1 : 1))
      .map(({ title, text }) => `${rule}\n${title}\n\n${text}`),
  ].join('\n\n')}\n`;
}

/** Every file in which a package keeps licence or notice; where it has none, what its README says under that heading. */
function textsOf(folder: string): string | null {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8').trim();
  if (files.length > 0) return files.map(read).join('\n\n');
  const readme = readdirSync(folder).find((file) => /^readme/i.test(file));
  const [, said = ''] =
    /^#+ *licen[cs]e[^\n]*\n(.*?)(?=^#|(?![^]))/ims.exec(readme === undefined ? '' : read(readme)) ?? [];
  return said.trim() === '' ? null : said.trim();
}

function manifestOf(folder: string): Manifest {
  const manifest: Manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return manifest;
}

function folderOf(name: string, from: string): string {
  const paths = createRequire(path.join(from, 'package.json')).resolve.paths(name) ?? [];
  for (const folder of paths) {
    try {
      return realpathSync(path.join(folder, name));
    } catch {
      // Not in this one.
    }
  }
  throw new Error(`${name} is not installed`);
}
