import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readLoginApps } from './login-apps.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'postern-login-apps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  const file = path.join(folder, 'apps.yaml');
  writeFileSync(file, text);
  return readLoginApps(file);
}

test('apps, and where other installations of providers are', () => {
  expect(readLoginApps('')).toEqual({});
  expect(read('')).toEqual({});
  expect(
    read('google: {client_id: a, client_secret: b}\ngitlab: {authorize_url: "https://git.test/oauth/authorize"}\n'),
  ).toEqual({
    google: { clientId: 'a', clientSecret: 'b', issuer: '', authorizeUrl: '', tokenUrl: '', userinfoUrl: '' },
    gitlab: {
      clientId: '',
      clientSecret: '',
      issuer: '',
      authorizeUrl: 'https://git.test/oauth/authorize',
      tokenUrl: '',
      userinfoUrl: '',
    },
  });
});

test.each([
  ['- a', /map of providers/],
  ['{', /not YAML/],
  ['nobody: {client_id: secret-word}', /"nobody" is no provider/],
  ['google: secret-word', /"google" must be a map/],
  ['google: {client_secret: secret-word}', /needs client_id and client_secret/],
  ['google: {client_id: a, secret: secret-word}', /"google.secret" is not known/],
  ['google: {client_id: 7, client_secret: secret-word}', /"google.client_id" must be a text/],
  ['google: {token_url: secret-word}', /"google.token_url" must be an address/],
])('%j is refused by its place, and no secret is repeated', (text, words) => {
  expect(() => read(text)).toThrow(words);
  expect(() => read(text)).not.toThrow(/secret-word/);
});

test('a file that is not there is named', () => {
  expect(() => readLoginApps(path.join(folder, 'none.yaml'))).toThrow(/--oauth-apps.*cannot be read/s);
});
