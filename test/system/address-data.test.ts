/** What operators' data says about addresses is what rules see, and a new file holds without a restart. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mmdb } from '@postern/edge/testing';
import { postern } from '../support/cli.ts';
import { Platform } from '../support/platform.ts';
import { until } from '../support/until.ts';

let platform: Platform;
let folder: string;
const at = (name: string): string => path.join(folder, name);
const cityOf = (code: string, city: string): Buffer =>
  mmdb('GeoLite2-City', {
    '127.0.0.0/8': { country: { iso_code: code, names: { en: code } }, city: { names: { en: city } } },
  });

const SHOWN = [
  'conn.geo.country_code',
  'conn.client_ip.geo.location.city',
  'conn.client_ip.as.number',
  'conn.client_ip.as.organization',
  'conn.client_ip.categories',
  'conn.client_ip.is_tor_node',
  'conn.client_ip.is_on_blocklist',
];
const URL = 'https://where.example.com';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-addresses-'));
  await writeFile(at('city.mmdb'), cityOf('NZ', 'Nelson'));
  await writeFile(
    at('asn.mmdb'),
    mmdb('ASN', { '127.0.0.0/8': { autonomous_system_number: 64_500, autonomous_system_organization: 'Loop' } }),
  );
  await writeFile(at('lists.txt'), '127.0.0.0/8 com.example.hooks\n127.0.0.1 proxy.anonymous.tor\n');
  platform = await Platform.start({
    args: ['city.mmdb', 'asn.mmdb', 'lists.txt'].map((name) => `--address-data=${at(name)}`),
  });
  const body = SHOWN.map((name) => `\${${name}}`).join(' ');
  const rules = [{ actions: [{ type: 'custom-response', config: { body } }] }];
  const made = await platform.api('POST', '/endpoints', {
    url: URL,
    traffic_policy: JSON.stringify({ on_http_request: rules }),
  });
  expect(made.status, made.text).toBe(201);
});
afterAll(async () => {
  await platform?.dispose();
  await rm(folder, { recursive: true, force: true });
});

const seen = async (): Promise<string> => (await platform.visit(URL)).text;

describe('address data', () => {
  test('is what variables are made of', async () => {
    const categories = '["com.example.hooks","com.example","com","proxy.anonymous.tor","proxy.anonymous","proxy"]';
    expect(await seen()).toBe(`NZ Nelson 64500 Loop ${categories} true false`);
  });

  test('is read again when a file changes, and a broken one leaves the old in use', async () => {
    // In one step: the server may read whatever is there in between.
    const replace = async (name: string, content: string | Buffer): Promise<void> => {
      await writeFile(at('new'), content);
      await rename(at('new'), at(name));
    };
    await replace('city.mmdb', cityOf('FR', 'Nantes'));
    await until(async () => (await seen()).startsWith('FR Nantes 64500'));
    await replace('lists.txt', 'not a range at all\n');
    await until(() => platform.output.includes('what was there stays in use'));
    expect(await seen()).toContain('com.example.hooks');
    await replace('lists.txt', '127.0.0.0/8 blocklist.example\n');
    await until(async () => (await seen()).endsWith('["blocklist.example","blocklist"] false true'));
  });

  test('is read again on SIGHUP', async () => {
    const times = (): number => platform.output.split('address data was read again').length;
    const before = times();
    platform.process.kill('SIGHUP');
    await until(() => times() > before);
  });

  test('that cannot be read refuses the start, with the name of the flag', async () => {
    await writeFile(at('bad.txt'), 'x\n');
    const { code, stderr } = await postern(['server', `--address-data=${at('bad.txt')}`, `--data-dir=${at('data')}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--address-data: .*bad\.txt: line 1: "x" is no address and no range/);
  });
});

test('with --strict-expressions an expression that fails ends the request, else its rule is passed over', async () => {
  const policy = {
    on_http_request: [
      { expressions: ["req.headers['x-a'][0] == 'b'"], actions: [{ type: 'deny' }] },
      { actions: [{ type: 'custom-response', config: { body: 'in' } }] },
    ],
  };
  const url = 'https://strict.example.com';
  const ask = async (server: Platform): Promise<unknown> => {
    await server.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    const { status, headers } = await server.visit(url);
    const named = await server.visit(url, { headers: { 'x-a': 'b' } });
    return [status, headers['ngrok-error-code'], named.status];
  };
  expect(await ask(platform)).toEqual([200, undefined, 403]);
  const strict = await Platform.start({ args: ['--strict-expressions'] });
  try {
    expect(await ask(strict)).toEqual([500, 'ERR_NGROK_2254', 403]);
  } finally {
    await strict.dispose();
  }
});
