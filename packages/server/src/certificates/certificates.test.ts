import 'reflect-metadata';
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { X509CertificateGenerator } from '@peculiar/x509';
import { createSecretBox } from '@postern/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../listen.ts';
import { FileCertificates } from './certificate-files.ts';
import { Certificates } from './certificates.ts';
import { LocalCa } from './local-ca.ts';

const box = createSecretBox(new Uint8Array(32).fill(7));
const DAY = 86_400_000;
let folder: string;
let ca: LocalCa;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-certificates-'));
  ca = await LocalCa.open(folder, box, Date.now);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A real handshake; the name that the client was convinced of, or why not. */
async function handshake(identity: tls.SecureContextOptions, servername: string, trusted: string): Promise<string> {
  const server = tls.createServer({ ...identity }, (socket) => socket.end());
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  try {
    return await new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port, servername, ca: trusted }, () => {
        resolve(socket.getPeerCertificate().subjectaltname ?? '');
        socket.destroy();
      });
      socket.on('error', reject);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('the local authority', () => {
  test('is the same after a restart, and its key is sealed and private', async () => {
    const again = await LocalCa.open(folder, box, Date.now);
    expect(again.pem).toBe(ca.pem);
    const sealed = await readFile(path.join(folder, 'ca.key'), 'utf8');
    expect(sealed).not.toContain('PRIVATE KEY');
    expect((await stat(path.join(folder, 'ca.key'))).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(ca.pem).ca).toBe(true);
    const leaf = await again.issue(['after.restart.test']);
    expect(await handshake(leaf, 'after.restart.test', ca.pem)).toBe('DNS:after.restart.test');
  });

  test.each([['app.postern.localhost'], ['a.b.c.deep.test'], [`${'x'.repeat(60)}.${'y'.repeat(60)}.test`]])(
    'signs a leaf that clients accept for %s',
    async (name) => {
      const leaf = await ca.issue([name]);
      expect(await handshake(leaf, name, ca.pem)).toBe(`DNS:${name}`);
      await expect(handshake(leaf, 'other.test', ca.pem)).rejects.toThrow(/does not match/);
    },
  );

  test('names addresses too, and its leaves live between a week and the browsers’ limit', async () => {
    const leaf = new X509Certificate((await ca.issue(['localhost', '127.0.0.1', '::1'])).cert);
    expect(leaf.checkHost('localhost')).toBe('localhost');
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(leaf.checkIP('::1')).toBe('::1');
    const life = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    expect(life).toBeGreaterThan(7 * DAY);
    expect(life).toBeLessThan(398 * DAY);
  });

  test('that lost a file, or was sealed with another key, says what to do', async () => {
    const open = (directory: string, key = box): Promise<LocalCa> => LocalCa.open(directory, key, Date.now);
    const copy = async (name: string, files: Readonly<Record<string, string>>): Promise<string> => {
      const directory = path.join(folder, name);
      await mkdir(directory);
      for (const [file, content] of Object.entries(files)) await writeFile(path.join(directory, file), content);
      return directory;
    };
    const key = await readFile(path.join(folder, 'ca.key'), 'utf8');
    await expect(open(await copy('no-key', { 'ca.pem': ca.pem }))).rejects.toThrow('holds ca.pem without ca.key');
    const both = await copy('both', { 'ca.pem': ca.pem, 'ca.key': key });
    const foreign = createSecretBox(new Uint8Array(32).fill(8));
    await expect(open(both, foreign)).rejects.toThrow(/another encryption key.*remove ca\.key and ca\.pem/);
    const { pem } = await open(await copy('other', {}));
    await expect(open(await copy('mixed', { 'ca.pem': pem, 'ca.key': key }))).rejects.toThrow('belongs to another key');
    // What a first run that was cut short leaves.
    expect((await open(await copy('key-only', { 'ca.key': key }))).pem).not.toBe(ca.pem);
  });
});

describe('certificates given by file', () => {
  const write = async (name: string, names: readonly string[]): Promise<{ cert: string; key: string }> => {
    const identity = await ca.issue(names);
    const files = { cert: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
    await writeFile(files.cert, identity.cert ?? '');
    await writeFile(files.key, identity.key ?? '');
    return files;
  };

  test('are found by exact name first, then by a wildcard one label up', async () => {
    const wild = await write('wild', ['*.wild.test', 'wild.test']);
    const exact = await write('exact', ['one.wild.test']);
    const files = new FileCertificates([wild, exact]);
    const [wildCert, exactCert] = await Promise.all([readFile(wild.cert, 'utf8'), readFile(exact.cert, 'utf8')]);
    expect(files.find('one.wild.test')?.cert).toBe(exactCert);
    expect(files.find('two.wild.test')?.cert).toBe(wildCert);
    expect(files.find('wild.test')?.cert).toBe(wildCert);
    expect(files.find('deep.two.wild.test')).toBeNull();
    expect(files.find('test')).toBeNull();
  });

  test('are read again, and a bad file keeps all the old ones', async () => {
    const first = await write('first', ['first.test']);
    const second = await write('second', ['second.test']);
    const files = new FileCertificates([first, second]);
    const before = files.find('first.test')?.cert;

    await write('first', ['first.test']);
    await writeFile(second.key, 'not a key');
    expect(() => files.reload()).toThrow(`--tls-certificate ${second.cert},${second.key}`);
    expect(files.find('first.test')?.cert).toBe(before);

    await write('second', ['renamed.test']);
    files.reload();
    expect(files.find('first.test')?.cert).not.toBe(before);
    expect(files.find('second.test')).toBeNull();
    expect(files.find('renamed.test')).not.toBeNull();
  });

  test('that do not belong together or are missing are refused by name', async () => {
    const one = await write('pair-one', ['a.test']);
    const other = await write('pair-other', ['b.test']);
    expect(() => new FileCertificates([{ cert: one.cert, key: other.key }])).toThrow(
      'the key does not belong to the certificate',
    );
    expect(() => new FileCertificates([{ cert: `${folder}/absent.pem`, key: one.key }])).toThrow(
      /absent\.pem: the file cannot be read/,
    );
  });

  test('of other authorities, RSA and a common name alone, work too', async () => {
    const algorithm = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const notBefore = new Date(Date.now() - DAY);
    const certificate = await X509CertificateGenerator.createSelfSigned(
      { name: 'CN=Common.Test', keys, signingAlgorithm: algorithm, notBefore, notAfter: new Date(Date.now() + DAY) },
      webcrypto,
    );
    const files = { cert: path.join(folder, 'rsa.pem'), key: path.join(folder, 'rsa.key') };
    await writeFile(files.cert, certificate.toString('pem'));
    const key = createPrivateKey({ key: await exported(keys.privateKey), format: 'der', type: 'pkcs8' });
    await writeFile(files.key, key.export({ type: 'pkcs1', format: 'pem' }));
    expect(new FileCertificates([files]).find('common.test')).not.toBeNull();
  });
});

async function exported(key: webcrypto.CryptoKey): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
}

describe('which certificate answers', () => {
  const certificates = (parts: { covers?: (name: string) => boolean; now?: () => number }): Certificates =>
    new Certificates({
      ca,
      files: new FileCertificates([]),
      agentNames: ['localhost', 'connect.test', '127.0.0.1'],
      covers: parts.covers ?? (() => false),
      now: parts.now ?? Date.now,
    });

  test('a leaf for names that are ours, none for others, one for all names of the agent listener', async () => {
    const found = certificates({ covers: (name) => name.endsWith('.ours.test') });
    expect(await found.find('nobody.test')).toBeNull();
    const leaf = await found.find('App.Ours.Test');
    expect(new X509Certificate(leaf?.cert ?? '').checkHost('app.ours.test')).toBe('app.ours.test');
    expect(await found.find('app.ours.test')).toBe(leaf);
    const agents = await found.find('connect.test');
    expect(await found.find('localhost')).toBe(agents);
    expect(new X509Certificate(agents?.cert ?? '').checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  test('a leaf is replaced before it ends', async () => {
    let now = Date.now();
    const found = certificates({ covers: () => true, now: () => now });
    const first = await found.find('old.test');
    now += 59 * DAY;
    expect(await found.find('old.test')).toBe(first);
    now += 2 * DAY;
    expect(await found.find('old.test')).not.toBe(first);
  });
});
