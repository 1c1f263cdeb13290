/** What docs/certificates.md tells people to type is understood: settings of the server, and flags of the commands. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { flagOf, SERVER_OPTIONS } from '@postern/server/options';

const root = path.join(import.meta.dirname, '..');
const page = readFileSync(path.join(root, 'docs', 'certificates.md'), 'utf8');
const source = (name: string): string =>
  readFileSync(path.join(root, 'packages', 'cli', 'src', 'commands', name), 'utf8');
const COMMANDS = ['certificates.ts', 'server-init.ts'].map(source).join('\n');

test('each flag is one of a command that the page names', () => {
  const flags = [...new Set(page.match(/(?<![\w-])--[a-z][a-z-]+/g))];
  expect(flags.length).toBeGreaterThan(15);
  const settings = SERVER_OPTIONS.map(({ key }) => flagOf(key));
  const unknown = flags.filter(
    (flag) => !settings.some((setting) => setting === flag) && !COMMANDS.includes(`name: '${flag.slice(2)}'`),
  );
  expect(unknown).toEqual([]);
});

test('every setting that orders certificates is on the page', () => {
  const said = SERVER_OPTIONS.map(({ key }) => flagOf(key)).filter((flag) => /^--(acme|dns|local-cert)/.test(flag));
  expect(said.filter((flag) => !page.includes(flag))).toEqual([]);
});

test('each of its commands is there', () => {
  const verbs = [...page.matchAll(/^postern certificates (\w+)/gm)].map(([, verb = '']) => verb);
  expect(verbs.toSorted()).toEqual(['check', 'list', 'renew', 'show']);
  for (const verb of verbs) expect(COMMANDS).toContain(`'${verb}'`);
});
