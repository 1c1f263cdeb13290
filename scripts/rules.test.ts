/** Each rule of the house finds a planted example, and nothing in what is lawful. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changeProblems } from './rules/changes.ts';
import { circleProblems } from './rules/circles.ts';
import { citationProblems } from './rules/citations.ts';
import { importProblems } from './rules/imports.ts';
import { lengthProblems } from './rules/lengths.ts';
import { memberProblems } from './rules/members.ts';
import { growthOf } from './rules/pattern-growth.ts';
import { patternProblems } from './rules/patterns.ts';
import { importsOf } from './rules/sources.ts';
import { wordProblems } from './rules/words.ts';

const clone = (files: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(files));

describe('changes', () => {
  test.each([
    ['packages/control/src/agents/a.ts', 'await core.store.commit(writes);'],
    ['packages/control/src/agents/a.ts', 'await core.registry.apply(steps, fence);'],
    ['packages/control/src/look-again.ts', 'core.store.commit([]);\ncore.catalog.commit(writes, guards);'],
  ])('%s may not write by itself', (file, text) => {
    expect(changeProblems(clone({ [file]: text }))).toEqual([expect.stringContaining('writes past a change')]);
  });

  test('where changes are carried out, in tests and elsewhere, writing is lawful', () => {
    const text = 'await core.store.commit(writes);';
    const files = {
      'packages/control/src/look-again.ts': text,
      'packages/control/src/a.test.ts': text,
      'packages/store/src/a.ts': text,
    };
    expect(changeProblems(clone(files))).toEqual([]);
  });
});

describe('imports', () => {
  test('are read in all their forms', () => {
    const text = `import type { A } from './a.ts';
import { type B, type C } from './b.ts';
import d, {
  e,
} from './d.ts';
export * from './f.ts';
import './g.ts';
const late = await import('./h.ts');
`;
    expect(importsOf(text).map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual([
      ['./a.ts', true],
      ['./b.ts', true],
      ['./d.ts', false],
      ['./f.ts', false],
      ['./g.ts', false],
      ['./h.ts', false],
    ]);
  });

  test.each([
    ['edge', `import { x } from '@postern/store';`, 'edge may not import store'],
    ['control', `import { x } from '@postern/protocol';`, 'control may import types of protocol only'],
    ['edge', `import { x } from '@postern/protocol/src/mux.ts';`, 'no public entry of protocol'],
    ['edge', `export { x } from '../../store/src/index.ts';`, 'leaves the package'],
    ['unknown', `import { x } from '@postern/errors';`, 'unknown may not import errors'],
  ])('of %s: %s', (room, line, words) => {
    const problems = importProblems(
      clone({ [`packages/${room}/src/a.ts`]: line, 'packages/protocol/package.json': '{}' }),
    );
    expect(problems).toEqual([expect.stringContaining(words)]);
  });

  test('that the table allows are allowed', () => {
    const lines = `import { x } from '@postern/errors';\nimport type { y } from '@postern/protocol';\nimport z from './z.ts';`;
    expect(importProblems(clone({ 'packages/control/src/a.ts': lines }))).toEqual([]);
  });

  test('table and page say the same', () => {
    const page = '| `errors` | the table | store |\n';
    expect(importProblems(clone({ 'ARCHITECTURE.md': page }))).toContain(
      'ARCHITECTURE.md, Packages: errors may import nothing',
    );
  });
});

describe('circles', () => {
  const circle = {
    'packages/edge/src/a.ts': `import type { B } from './b.ts';`,
    'packages/edge/src/b.ts': `import { c } from './c.ts';`,
    'packages/edge/src/c.ts': `export { a } from './a.ts';`,
  };

  test('are found, also those of types', () => {
    expect(circleProblems(clone(circle))).toEqual([expect.stringContaining('packages/edge/src/a.ts → ')]);
    expect(circleProblems(clone({ ...circle, 'packages/edge/src/c.ts': '' }))).toEqual([]);
  });
});

test('schemes and bindings are listed where they are declared, and nowhere else', () => {
  const union = `type S = 'http' | 'https' | 'tcp' | 'tls';`;
  const list = `const B = ['public',\n  'internal', 'kubernetes'];`;
  const files = { 'packages/edge/src/a.ts': `\n${union}`, 'packages/store/src/b.ts': list };
  expect(wordProblems(clone(files))).toEqual([
    expect.stringContaining('packages/edge/src/a.ts:2: '),
    expect.stringContaining('packages/store/src/b.ts:1: '),
  ]);
  const lawful = `type Named = 'http' | 'https' | 'tls'; if (s === 'http' || s === 'https') f('public', 'internal');`;
  const declared = { 'packages/link/src/model.ts': union + list, 'packages/edge/src/c.ts': lawful };
  expect(wordProblems(clone(declared))).toEqual([]);
});

test('files beyond 400 lines are found', () => {
  expect(
    lengthProblems(clone({ 'packages/edge/src/a.ts': 'x\n'.repeat(400), 'docs/a.md': 'x\n'.repeat(900) })),
  ).toEqual([]);
  expect(lengthProblems(clone({ 'packages/edge/src/a.ts': 'x\n'.repeat(401) }))).toHaveLength(1);
});

test('class members that nobody uses are found', () => {
  const file = `export class A {
  readonly used = 1;
  readonly unused = 2;
  #own = 3;

  constructor() {}

  get asked(): number {
    return this.#own + this.used;
  }

  async forgotten(): Promise<void> {}
}
const { asked } = new A();
`;
  expect(memberProblems(clone({ 'packages/edge/src/a.ts': file }))).toEqual([
    'packages/edge/src/a.ts:3: nobody uses the member unused',
    'packages/edge/src/a.ts:12: nobody uses the member forgotten',
  ]);
});

describe('patterns', () => {
  test.each([
    [/(a*)*b/, 'two ways'],
    [/^(a|a)*b/, 'two ways|share a text'],
    [/^(\w+\s?)+$/, 'two ways|share a text'],
    [/^(?:a?b?)*(?:a|c)*$/, 'two ways'],
    [/^(a|ab|b)*c/, 'two ways|share a text'],
    [/^a*a*b/, 'share a text'],
    [/^[a-z]+x?\w+-/, 'share a text'],
    [/^\s*;?\s*$/, 'share a text'],
    [/^É*[à-ö]*É*é*!/i, 'share a text'],
    [/\s+$/, 'begins anew'],
    [/<[^>]*>/, 'begins anew'],
    [/a.*b/g, 'begins anew'],
    [/\s{0,2000}$/, 'begins anew'],
    [/a(?:.*b)?/g, 'begins anew'],
    [/(?:^|a)[^b]*b/, 'begins anew'],
    [/^x[^y]*y/m, 'begins anew'],
    [/(?=a*b)c/, 'cannot be judged'],
    [/^(a+)-\1$/, 'cannot be judged'],
  ])('%s may take more than linear time', (pattern, words) => {
    expect(growthOf(pattern.source, pattern.flags)).toMatch(new RegExp(words));
  });

  test.each([
    /^(\w+\s)+$/,
    /^a*b*c*$/,
    /^(?:[^"\\]|\\.)*"/,
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    /^x[^y]*y/,
    /x[^y]*y/y,
    /\s+/g,
    /(?:ab)+/g,
    /a\d{1,9}$/,
    /^0+(?=.)/,
    /(?:^|[\s,])timeout\s*=\s*"?(\d{1,9})/i,
  ])('%s does not', (pattern) => {
    expect(growthOf(pattern.source, pattern.flags)).toBeUndefined();
  });

  test('of the product are read, those of tests are not, and a known one must be there', () => {
    const text = `const words = 'a';\nexport const a = (b: string): boolean => /\\s+$/.test(b);\nnew RegExp(words);\n`;
    const file = 'packages/edge/src/a.ts';
    expect(patternProblems(clone({ [file]: text, 'packages/edge/src/a.test.ts': text }))).toEqual([
      expect.stringContaining(`${file}:2: /\\s+$/ begins anew`),
      `${file}:3: builds a regular expression at run time`,
    ]);
    expect(patternProblems(clone({ [file]: text }), new Map([[`${file} \\s+$`, 'short']]))).toHaveLength(1);
    expect(patternProblems(clone({ [file]: '' }), new Map([[`${file} \\s+$`, 'short']]))).toEqual([
      expect.stringContaining('nothing is known any more'),
    ]);
  });
});

describe('citations', () => {
  const pages = {
    'docs/protocol/wire.md': '# Wire\n\n## 2. Frames\n\n1. one\n2. two\n\n### 2.5 Flow\n',
    'packages/edge/README.md': '# Edge\n',
  };
  const problemsOf = (file: string, text: string): readonly string[] =>
    citationProblems(clone({ ...pages, [file]: text }));

  test.each([
    ['a page that is not there', '/** See wires.md. */', 'there is no wires.md'],
    ['a section that is not there', '/** See wire.md §3. */', 'wire.md has no §3'],
    ['an item that is not there', '/** See wire.md §2.3. */', 'wire.md has no §2.3'],
    ['a document that no clone has', '/** See DESIGN §3. */', 'DESIGN is not in a clone'],
  ])('%s', (_, text, words) => {
    expect(problemsOf('packages/edge/src/a.ts', text)).toEqual([`packages/edge/src/a.ts:1: ${words}`]);
  });

  test('links of pages lead to files, folders and headings', () => {
    expect(problemsOf('docs/a.md', '[x](protocol/wire.md#25-flow) [y](protocol) [z](#here)\n# Here\n')).toEqual([]);
    expect(problemsOf('docs/a.md', '[x](protocol/wire.md#flow) [y](nowhere)')).toHaveLength(2);
  });

  test('that lead somewhere are left alone', () => {
    const text = '/** wire.md §2, wire.md §2.5, wire.md §2.2, docs/protocol/wire.md and README.md; hash.md5 */';
    expect(problemsOf('packages/edge/src/a.ts', text)).toEqual([]);
  });
});

describe('tools', () => {
  const modules = path.resolve(import.meta.dirname, '..', 'node_modules');
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-planted-'));
    symlinkSync(modules, path.join(folder, 'node_modules'), 'dir');
    const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
    write('package.json', '{"name":"planted","type":"module","main":"main.ts"}');
    write(
      'tsconfig.json',
      '{"compilerOptions":{"strict":true,"noEmit":true,"allowImportingTsExtensions":true},"include":["*.ts"]}',
    );
    write('main.ts', `import { used } from './other.ts';\nused('a');\n`);
    write(
      'other.ts',
      `export const unused = 1;
export function used(kind: 'a' | 'b'): number {
  switch (kind) {
    case 'a':
      return 1;
  }
  return 2;
}
`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (tool: string, ...args: readonly string[]): string => {
    const { stdout, stderr } = spawnSync(process.execPath, [realpathSync(path.join(modules, '.bin', tool)), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: folder, PATH: `${path.join(modules, '.bin')}:${process.env['PATH'] ?? ''}` },
    });
    return stdout + stderr;
  };

  test('a switch that forgets a case is an error of the linter', () => {
    const config = path.resolve(import.meta.dirname, '..', '.oxlintrc.json');
    const found = run('oxlint', '--type-aware', '--deny-warnings', '-c', config, 'other.ts');
    expect(found).toContain('switch-exhaustiveness-check');
  });

  test('an export without a caller is found', () => {
    expect(run('knip', '--directory', folder)).toContain('unused');
  });
});
