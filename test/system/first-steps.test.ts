/** The first hours with a server: files that get lost, a demo that cannot be, addresses that are not there. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { FREE_PORTS, Platform } from '../support/platform.ts';
import { until } from '../support/until.ts';

const started: Platform[] = [];
afterEach(async () => {
  for (const platform of started.splice(0)) await platform.dispose();
});

async function server(): Promise<Platform> {
  const platform = await Platform.start();
  started.push(platform);
  return platform;
}

test('a lost API key file changes no credential; the demo and agents go on', async () => {
  const platform = await server();
  const { dataDir, apiKey, authtoken } = platform;
  await platform.stop();
  await rm(path.join(dataDir, 'api_key'));
  const again = await Platform.start({ dataDir, args: ['--demo'] });
  try {
    await expect
      .poll(() => again.output)
      .toMatch(/first API key is missing; what is stored stays.*--reset-credentials/);
    expect(again.authtoken).toBe(authtoken);
    expect(existsSync(path.join(dataDir, 'api_key'))).toBe(false);
    const answer = await again.api('GET', '/endpoints', undefined, { authorization: `Bearer ${apiKey}` });
    expect(answer.status).toBe(200);
    expect((await again.visit('http://hello.postern.localhost/')).text).toContain('Hello 127.0.0.1');
  } finally {
    await again.stop();
  }
});

test('a demo whose agent cannot come in does not keep the server from serving', async () => {
  const platform = await server();
  const file = (name: string): string => path.join(platform.dataDir, name);
  const { cert, key } = await selfSigned('localhost');
  await Promise.all([writeFile(file('own.pem'), cert), writeFile(file('own.key'), key)]);
  await platform.stop();
  const again = await Platform.start({
    dataDir: platform.dataDir,
    args: ['--demo', `--tls-certificate=${file('own.pem')},${file('own.key')}`],
  });
  try {
    expect((await again.api('GET', '/endpoints')).status).toBe(200);
    await until(() => again.output.includes('is ready.'));
  } finally {
    await again.stop();
  }
});

test('an address that the machine does not have is refused, also beside one that it has', async () => {
  for (const flag of [
    '--http-listen',
    '--https-listen',
    '--agent-listen',
    '--api-listen',
    '--metrics-listen',
    '--tcp-listen',
  ]) {
    const listen = [...FREE_PORTS, `${flag}=192.0.2.1:0`];
    await expect(Platform.start({ listen })).rejects.toThrow(`${flag} 192.0.2.1`);
  }
});
