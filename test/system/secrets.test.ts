/** What lies in the data folder, in a backup and in the log of a server that was told secrets in every way there is. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { postern } from '../support/cli.ts';
import { ofFilesIn } from '../support/files-in.ts';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';

const PASSWORDS = [
  'cloud-endpoint-pass-word',
  'agent-option-pass-word',
  'agent-policy-pass-word',
  'header-that-is-secret',
];
const [CLOUD = '', OPTION = '', AGENT_POLICY = '', HEADER = ''] = PASSWORDS;
let platform: Platform;
let session: ngrok.Session;
let secrets: readonly string[];

const basicAuth = (password: string): object => ({
  type: 'basic-auth',
  config: { credentials: [`ada:${password}`] },
});
const authorization = (password: string): string => `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;

beforeAll(async () => {
  platform = await Platform.start({ args: ['--log-level=debug'] });
  const { cert, key } = await selfSigned('own.example.com');
  const keyLine = key.toString().split('\n')[1] ?? '';
  const termination = {
    type: 'terminate-tls',
    config: { server_certificate: cert.toString(), server_private_key: key.toString() },
  };
  const policies = {
    'https://cloud.example.com': {
      on_http_request: [
        { actions: [basicAuth(CLOUD)] },
        { expressions: [`int(req.headers['x-secret'][0]) > 1`], actions: [{ type: 'deny' }] },
        { actions: [{ type: 'custom-response', config: { status_code: 200, body: 'in' } }] },
      ],
    },
    'https://own.example.com': {
      on_tcp_connect: [{ actions: [termination] }],
      on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body: 'own' } }] }],
    },
  };
  for (const [url, policy] of Object.entries(policies)) {
    const made = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    expect(made.status, made.text).toBe(201);
  }
  const token = (await platform.api('POST', '/credentials', { description: 'x' })).body.token as string;
  const apiKey = (await platform.api('POST', '/api_keys', { description: 'x' })).body.token as string;
  session = await sessionBuilder(platform).connect();
  await session.httpEndpoint().domain('option.example.com').basicAuth('ada', OPTION).listen();
  const policy = JSON.stringify({ on_http_request: [{ actions: [basicAuth(AGENT_POLICY)] }] });
  await session.httpEndpoint().domain('policy.example.com').trafficPolicy(policy).listen();
  await session.tlsEndpoint().domain('bytes.example.com').termination(cert, key).listen();
  // Refusals that know a secret, and expressions that fail over one.
  await platform.api('POST', '/endpoints', {
    url: 'https://bad.example.com',
    traffic_policy: JSON.stringify({ on_http_request: [{ actions: [basicAuth(`${CLOUD}\u0000`)] }] }),
  });
  for (const [host, password] of [
    ['cloud', CLOUD],
    ['cloud', 'wrong-one-as-well'],
    ['option', 'wrong-one-as-well'],
    ['policy', 'wrong-one-as-well'],
  ] as const) {
    const headers = { authorization: authorization(password), 'x-secret': HEADER };
    await platform.visit(`https://${host}.example.com/?q=${HEADER}`, { headers });
  }
  secrets = [...PASSWORDS, 'wrong-one-as-well', keyLine, token, apiKey, platform.apiKey, platform.authtoken];
  expect(secrets.every((secret) => secret.length > 10)).toBe(true);
});
afterAll(() => platform?.dispose());

const shownIn = (text: string): readonly string[] =>
  secrets.filter((secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')));

describe('secrets', () => {
  test('are not in the log, at its most talkative', async () => {
    await expect.poll(() => platform.output).toContain('API call');
    expect(shownIn(platform.output)).toEqual([]);
  });

  test('are in no file of the data folder but the two that hold the first credentials, nor in a backup', async () => {
    const backup = path.join(platform.dataDir, 'copy.db');
    expect((await postern(['backup', backup, `--data-dir=${platform.dataDir}`])).code).toBe(0);
    const showing: Record<string, readonly string[]> = {};
    for (const [file, text] of await ofFilesIn(platform.dataDir, (one) => readFile(one, 'latin1'))) {
      const found = shownIn(text);
      if (found.length > 0) showing[file] = found;
    }
    expect(showing).toEqual({ api_key: [platform.apiKey], authtoken: [platform.authtoken] });
  });

  test.skipIf(process.platform === 'win32')('lie where nobody else can read', async () => {
    expect((await stat(platform.dataDir)).mode & 0o777).toBe(0o700);
    const found = await ofFilesIn(platform.dataDir, (one) => stat(one));
    // What everybody may trust.
    expect([...found].filter(([, { mode }]) => (mode & 0o077) !== 0).map(([file]) => file)).toEqual(['ca.pem']);
  });
});
