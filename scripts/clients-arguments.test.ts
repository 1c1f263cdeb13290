/** What the suite of clients answers to its command line. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ALL } from '../test/clients/clients.ts';
import { readArguments, VARIABLES } from '../test/clients/harness/arguments.ts';

const FOLDER = fileURLToPath(new URL('../test/clients/', import.meta.url));
const readme = readFileSync(path.join(FOLDER, 'README.md'), 'utf8');
const asked = (...args: string[]) => readArguments(args, ALL);
/** Variables that some text names, once each. */
const named = (text: string): string[] => [...new Set(text.match(/\bPOSTERN_(?:CLIENTS|WRAPPER|TERRAFORM|API_C)\w*/g))];

test('everything, once, by default; languages and parts by name', () => {
  expect(asked()).toEqual({ clients: ALL, write: false, runs: 1, atOnce: 2 });
  const some = asked('--only', 'rust, api', '--runs=20', '--at-once', '4', '--write');
  expect(some).toMatchObject({ write: true, runs: 20, atOnce: 4 });
  const names = 'clients' in some ? some.clients.map(({ name }) => name) : [];
  expect(names).toEqual(['Rust SDK', 'Go API v9', 'Go API v7', 'Python API', 'JavaScript API']);
});

test.each([
  [['--nonsense'], /^Unknown option '--nonsense'; there are --only, --runs, --at-once, --write, --help$/],
  [['go'], /^Unexpected argument 'go'; there are --only, /],
  [['--runs'], /^Option '--runs <value>' argument missing; there are /],
  [['--only', 'go,rustt'], /^--only: there is no "rustt"; there are go, rust, .*, agents, api$/],
  [['--runs', 'often'], /^--runs: a whole number from 1 on, not "often"$/],
  [['--at-once=0'], /^--at-once: a whole number from 1 on, not "0"$/],
])('%j is told in one line what would be right', (args, line) => {
  expect(asked(...args)).toEqual({ text: expect.stringMatching(line), code: 2 });
});

test('--help has every option, client and variable', () => {
  const help = asked('--only=go', '-h');
  if (!('text' in help)) throw new Error('no help');
  expect(help.code).toBe(0);
  for (const { name, language } of ALL) expect(help.text).toMatch(new RegExp(`^  ${language} .*\\b${name}`, 'm'));
  for (const option of ['--only', '--runs', '--at-once', '--write']) expect(help.text).toContain(`  ${option} `);
  expect(named(help.text).toSorted()).toEqual(VARIABLES.map(([name]) => name).toSorted());
});

test('its variables are those that the suite reads, and README.md has them all', () => {
  const sources = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[tj]s$/.test(file));
  const read = sources.flatMap((file) =>
    [...readFileSync(path.join(FOLDER, file), 'utf8').matchAll(/process\.env\['(POSTERN_\w+)'\]/g)].map(
      ([, name]) => name,
    ),
  );
  const known = VARIABLES.map(([name]) => name).toSorted();
  expect(new Set(read)).toEqual(new Set(known));
  expect(named(readme).toSorted()).toEqual(known);
});
