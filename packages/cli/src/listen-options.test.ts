import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenOptions } from './listen-options.ts';
import type { Proto } from './proto.ts';
import type { ShareOptions } from './share-options.ts';
import { UsageError } from './usage-error.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-options-'));
  for (const name of ['policy.yml', 'cert.pem', 'key.pem', 'ca.pem'])
    writeFileSync(path.join(folder, name), `of ${name}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base: ShareOptions = { name: 'command_line', logFormat: 'term', logLevel: 'info' };
const read = (proto: Proto, target: string, options: Partial<ShareOptions> = {}) =>
  listenOptions(proto, target, { ...base, ...options });

test.each([
  ['http', '3000', {}, { proto: 'https', upstream: 'http://localhost:3000', name: 'command_line' }],
  ['http', '443', {}, { proto: 'https', upstream: 'https://localhost:443', name: 'command_line' }],
  ['http', 'box:80', { url: 'a.test' }, { proto: 'https', url: 'https://a.test', upstream: 'http://box:80' }],
  ['http', '80', { url: 'HTTP://a.test' }, { proto: 'http', url: 'http://a.test' }],
  ['http', '80', { url: 'https://*.a.test' }, { proto: 'https', url: 'https://*.a.test' }],
  [
    'tcp',
    '5432',
    { url: 'localhost:20001' },
    { proto: 'tcp', url: 'tcp://localhost:20001', upstream: 'tcp://localhost:5432' },
  ],
  ['tls', 'tls://box:8443', { url: 'a.test' }, { proto: 'tls', url: 'tls://a.test', upstream: 'tls://box:8443' }],
] as const)('postern %s %s %j', async (proto, target, options, wanted) => {
  expect(await read(proto, target, options)).toMatchObject(wanted);
});

test('every flag reaches the agent, files as their text', async () => {
  const file = (name: string): string => path.join(folder, name);
  const options = await read('tls', '8443', {
    name: 'n',
    description: 'd',
    metadata: 'm',
    binding: 'internal',
    poolingEnabled: true,
    trafficPolicyFile: file('policy.yml'),
    upstreamProtocol: 'http2',
    upstreamProxyProtocol: '2',
    upstreamTlsVerify: true,
    upstreamTlsVerifyCas: file('ca.pem'),
    crt: file('cert.pem'),
    key: file('key.pem'),
  });
  expect(options).toEqual({
    proto: 'tls',
    upstream: 'tcp://localhost:8443',
    name: 'n',
    description: 'd',
    metadata: 'm',
    bindings: ['internal'],
    poolingEnabled: true,
    trafficPolicy: 'of policy.yml',
    forwardsProto: 'http2',
    proxyProto: 2,
    verifyUpstream: true,
    upstreamCa: 'of ca.pem',
    tlsTermination: { cert: 'of cert.pem', key: 'of key.pem' },
  });
});

test.each([
  ['http', 'a b', {}, 'is not a port, host:port, or URL'],
  ['http', '70000', {}, 'no valid port'],
  ['tcp', 'box', {}, 'has no port'],
  ['tcp', 'http://box', {}, 'is a web address'],
  ['http', 'file:///absent-folder', {}, 'cannot be served'],
  ['tcp', 'file:///tmp', {}, 'only "postern http" serves folders'],
  ['http', '80', { url: 'tcp://a.test:1' }, '--url tcp://a.test:1 does not fit "postern http"'],
  ['tls', '80', { url: 'https://a.test' }, 'does not fit "postern tls"'],
  ['tls', '80', { crt: 'cert.pem' }, '--crt and --key belong together'],
  [
    'http',
    '80',
    { trafficPolicyFile: '/absent/p.yml' },
    '--traffic-policy-file /absent/p.yml: the file cannot be read',
  ],
] as const)('postern %s %s %j is refused: %s', async (proto, target, options, words) => {
  const refused = read(proto, target, options);
  await expect(refused).rejects.toThrow(words);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});
