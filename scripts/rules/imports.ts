/** Which package may import which: ARCHITECTURE.md, Packages. */
import path from 'node:path';
import { importsOf, isCode, isTest, type Sources } from './sources.ts';

interface Room {
  /** May be imported for use at run time. */
  readonly uses: readonly string[];
  /** Only their types. */
  readonly types?: readonly string[];
}

/** Nothing that is not named here. */
export const ROOMS: Readonly<Record<string, Room>> = {
  errors: { uses: [] },
  resources: { uses: [], types: ['errors'] },
  protocol: { uses: ['errors'] },
  link: { uses: ['errors'], types: ['protocol'] },
  seclang: { uses: [] },
  policy: { uses: ['errors', 'link'], types: ['seclang'] },
  store: { uses: ['errors', 'resources'], types: ['link'] },
  acme: { uses: ['policy', 'store'], types: ['link'] },
  registry: { uses: ['errors'], types: ['link'] },
  control: { uses: ['errors', 'link', 'policy', 'registry', 'resources', 'store'], types: ['protocol'] },
  sockets: { uses: [] },
  edge: { uses: ['errors', 'link', 'policy', 'protocol', 'sockets'] },
  api: { uses: ['control', 'errors', 'resources'] },
  agent: { uses: ['errors', 'protocol', 'sockets'] },
  inspector: { uses: ['protocol'], types: ['agent'] },
  ui: { uses: [], types: ['inspector'] },
  server: {
    uses: [
      'acme',
      'agent',
      'api',
      'control',
      'edge',
      'errors',
      'link',
      'policy',
      'protocol',
      'registry',
      'resources',
      'seclang',
      'sockets',
      'store',
    ],
  },
  cli: { uses: ['agent', 'inspector', 'link', 'policy', 'resources', 'server', 'ui'] },
};

export function importProblems(sources: Sources): readonly string[] {
  const problems: string[] = [...tableProblems(sources)];
  for (const [file, text] of sources) {
    const [top, room = ''] = file.split('/');
    if (!isCode(file)) continue;
    for (const { specifier, typeOnly, line } of importsOf(text)) {
      const at = `${file}:${line}`;
      if (specifier.startsWith('.')) {
        const target = path.posix.join(path.posix.dirname(file), specifier);
        if (top === 'packages' && !isTest(file) && !target.startsWith(`packages/${room}/`))
          problems.push(`${at}: ${specifier} leaves the package; import another one by its name`);
        continue;
      }
      const [, other = '', inside] = /^@postern\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
      if (other === '') continue;
      if (inside !== undefined && !exported(sources, other, inside))
        problems.push(`${at}: ${specifier} is no public entry of ${other}`);
      if (top !== 'packages' || isTest(file) || other === room) continue;
      const { uses = [], types = [] } = ROOMS[room] ?? {};
      if (uses.includes(other) || (typeOnly && types.includes(other))) continue;
      problems.push(
        types.includes(other)
          ? `${at}: ${room} may import types of ${other} only`
          : `${at}: ${room} may not import ${other} (ARCHITECTURE.md, Packages)`,
      );
    }
  }
  return problems;
}

/** The page says the same. */
function tableProblems(sources: Sources): readonly string[] {
  const page = sources.get('ARCHITECTURE.md');
  if (page === undefined) return [];
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)` +\|[^|]*\| ([^|]*?) +\|$/gm)].map(([, name, says]) => [name, says]),
  );
  return Object.entries(ROOMS).flatMap(([room, { uses, types = [] }]) => {
    const says = rows.get(room);
    const names = (text: string): string => text.split(', ').toSorted().join(', ');
    const [used = '', typed = ''] = (says ?? '').replace(/^types of /, '; types of ').split('; types of ');
    if (says === 'all above' && uses.length === [...rows.keys()].indexOf(room)) return [];
    const fits = names(used.replace('nothing', '')) === uses.join(', ') && names(typed) === types.join(', ');
    return fits ? [] : [`ARCHITECTURE.md, Packages: ${room} may import ${[...uses, ...types].join(', ') || 'nothing'}`];
  });
}

function exported(sources: Sources, room: string, inside: string): boolean {
  const manifest: { exports?: Record<string, unknown> } = JSON.parse(
    sources.get(`packages/${room}/package.json`) ?? '{}',
  );
  return manifest.exports?.[`./${inside}`] !== undefined;
}
