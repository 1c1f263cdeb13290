import { expect, test } from 'vitest';
import { normalizeArgv } from './argv.ts';
import { createProgram } from './program.ts';

test.each([
  ['http 3000', 'http 3000'],
  ['--config a.yml start --none', 'start --none=true --config a.yml'],
  ['--config=a.yml config check', 'config check --config=a.yml'],
  ['config --config a.yml add-authtoken T', 'config add-authtoken T --config a.yml'],
  ['http --inspect 3000', 'http --inspect=true 3000'],
  ['http --inspect=false 3000', 'http --inspect=false 3000'],
  ['http -config a.yml 3000', 'http --config a.yml 3000'],
  ['http -config=a.yml 3000', 'http --config=a.yml 3000'],
  ['authtoken T --config=a.yml', 'authtoken T --config=a.yml'],
  ['http --nonsense 3000', 'http --nonsense 3000'],
  ['http --metadata --inspect 3000', 'http --metadata --inspect 3000'],
  ['server --config a.yml --demo', 'server --config a.yml --demo'],
  ['policy check --json a.yml', 'policy check --json a.yml'],
  ['--version', '--version'],
  ['start -- --all', 'start -- --all'],
  ['--log stdout http 80', 'http 80 --log stdout'],
])('postern %s is read as %s', (typed, read) => {
  expect(normalizeArgv(createProgram(), typed.split(' ')).join(' ')).toBe(read);
});
