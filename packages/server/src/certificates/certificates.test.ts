import 'reflect-metadata';
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { X509CertificateGenerator } from '@peculiar/x509';
import { createSecretBox } from '@postern/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../listeners/listen.ts';
import { FileCertificates } from './certificate-files.ts';
import type { Cover } from '@postern/control';
import { type CaScope, caScope, isInScope } from './ca-scope.ts';
import { Certificates } from './certificates.ts';
import { KeptLeaf } from './kept-leaf.ts';
import { LocalCa } from './local-ca.ts';

const box = createSecretBox(new Uint8Array(32).fill(7));
const DAY = 86_400_000;
const SCOPE: CaScope = { names: ['test', 'postern.localhost', 'localhost'], addresses: [] };
const openCa = (directory: string, scope = SCOPE, key = box): Promise<LocalCa> =>
  LocalCa.open({ directory, box: key, scope, now: Date.now });
let folder: string;
let ca: LocalCa;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-certificates-'));
  ca = await openCa(folder);
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
    const again = await openCa(folder);
    expect(again.renewed).toBe(false);
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
    const open = (directory: string, key = box): Promise<LocalCa> => openCa(directory, SCOPE, key);
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
  const certificates = (parts: { coverOf?: (name: string) => Cover | null; now?: () => number }): Certificates =>
    new Certificates({
      ca,
      files: new FileCertificates([]),
      agentNames: ['localhost', 'connect.test', '127.0.0.1'],
      coverOf: async (name) => parts.coverOf?.(name) ?? null,
      now: parts.now ?? Date.now,
    });
  const namesOf = (identity: { cert?: string } | null): string =>
    identity === null ? 'none' : (new X509Certificate(identity.cert ?? '').subjectAltName ?? '');

  test('a leaf for names that are held, none for others, one for all names of the agent listener', async () => {
    const found = certificates({ coverOf: (name) => (name.endsWith('.ours.test') ? { kind: 'name' } : null) });
    expect(await found.find('nobody.test')).toBeNull();
    const leaf = await found.find('App.Ours.Test');
    expect(namesOf(leaf)).toBe('DNS:app.ours.test');
    expect(await found.find('app.ours.test')).toBe(leaf);
    const agents = await found.find('connect.test');
    expect(await found.find('localhost')).toBe(agents);
    expect(new X509Certificate(agents?.cert ?? '').checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  test('the one of the agent listener is kept over restarts, sealed, for the same names and authority', async () => {
    const directory = await mkdtemp(path.join(folder, 'kept-'));
    const other = await openCa(await mkdtemp(path.join(folder, 'other-')));
    const started = (parts: { agentNames?: readonly string[]; by?: LocalCa; now?: number } = {}): Certificates =>
      new Certificates({
        ca: parts.by ?? ca,
        files: new FileCertificates([]),
        agentNames: parts.agentNames ?? ['localhost', 'connect.test'],
        coverOf: () => Promise.resolve(null),
        now: () => parts.now ?? Date.now(),
        kept: new KeptLeaf(directory, box),
      });
    const first = await started().find('localhost');
    const file = path.join(directory, 'agent.leaf');
    await expect.poll(() => readFile(file, 'utf8').catch(() => '')).not.toBe('');
    expect(await readFile(file, 'utf8')).not.toContain('PRIVATE KEY');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await started().find('connect.test')).toEqual(first);
    for (const parts of [{ agentNames: ['localhost'] }, { by: other }, { now: Date.now() + 61 * DAY }]) {
      // What is asked writes a new one, so each begins with the first.
      await new KeptLeaf(directory, box).write({
        names: ['localhost', 'connect.test'],
        identity: first ?? { cert: '', key: '' },
        issuedAt: Date.now(),
      });
      expect(await started(parts).find('localhost')).not.toEqual(first);
    }
    await writeFile(file, 'damaged');
    expect(await started().find('localhost')).not.toBeNull();
  });

  test('names that visitors think up share one leaf, and where they cannot, have a budget', async () => {
    let now = Date.now();
    const found = certificates({ coverOf: () => ({ kind: 'below', domain: 'base.test' }), now: () => now });
    const shared = await found.find('a.base.test');
    expect(namesOf(shared)).toBe('DNS:*.base.test, DNS:base.test');
    for (let n = 0; n < 500; n++) expect(await found.find(`n${n}.base.test`)).toBe(shared);
    expect(await found.find('base.test')).toBe(shared);
    const deep: string[] = [];
    for (let n = 0; n < 100; n++) deep.push(namesOf(await found.find(`x.y${n}.base.test`)));
    expect(deep.slice(0, 2)).toEqual(['DNS:*.y0.base.test', 'DNS:*.y1.base.test']);
    expect(deep.filter((names) => names === 'none')).toHaveLength(50);
    // What is there stays, names of others do not suffer, and the budget comes back.
    expect(namesOf(await found.find('z.y0.base.test'))).toBe('DNS:*.y0.base.test');
    expect(await found.find('b.base.test')).toBe(shared);
    now += 1_000;
    expect(namesOf(await found.find('x.y99.base.test'))).toBe('DNS:*.y99.base.test');
  });

  test('right under a top-level domain there is no wildcard', async () => {
    const found = certificates({ coverOf: () => ({ kind: 'below', domain: 'localhost' }) });
    expect(namesOf(await found.find('a.localhost'))).toBe('DNS:a.localhost');
  });

  test('a leaf is replaced before it ends', async () => {
    let now = Date.now();
    const found = certificates({ coverOf: () => ({ kind: 'name' }), now: () => now });
    const first = await found.find('old.test');
    now += 59 * DAY;
    expect(await found.find('old.test')).toBe(first);
    now += 2 * DAY;
    expect(await found.find('old.test')).not.toBe(first);
  });
});

describe('the scope of the authority', () => {
  const base = {
    baseDomains: ['tunnel.example.com'],
    agentNames: ['connect.tunnel.example.com', 'localhost', '192.0.2.7'],
  };
  const scope = caScope({ ...base, more: [] });
  let narrow: LocalCa;
  const place = (name: string): string => path.join(folder, name);
  beforeAll(async () => {
    await mkdir(place('scope'));
    narrow = await openCa(place('scope'), scope);
  });

  test('is base domains, agent names and what the operator adds, with what lies below', () => {
    expect(scope).toEqual({ names: ['localhost', 'tunnel.example.com'], addresses: ['192.0.2.7'] });
    expect(caScope({ ...base, more: ['corp.test'] }).names).toEqual(['corp.test', 'localhost', 'tunnel.example.com']);
    expect(caScope({ ...base, more: ['*'] }).names).toBeNull();
    const inside = [
      'tunnel.example.com',
      '*.tunnel.example.com',
      'a.b.tunnel.example.com',
      '127.0.0.1',
      '::1',
      '192.0.2.7',
    ];
    for (const name of inside) expect(isInScope(scope, name), name).toBe(true);
    for (const name of ['example.com', 'eviltunnel.example.com', '*.example.com', '192.0.2.8', 'com']) {
      expect(isInScope(scope, name), name).toBe(false);
    }
  });

  test('is a critical constraint that clients hold the authority to', async () => {
    expect(new X509Certificate(narrow.pem).raw.toString('hex')).toContain('0603551d1e0101ff');
    const names = ['app.tunnel.example.com', '*.tunnel.example.com', 'localhost', '127.0.0.1', '::1', '192.0.2.7'];
    const leaf = await narrow.issue(names);
    expect(await handshake(leaf, 'any.tunnel.example.com', narrow.pem)).toContain('DNS:app.tunnel.example.com');
    // A leaf as someone would make it who has the key, for a name beyond it.
    const wide = await LocalCa.open({
      directory: place('scope'),
      box,
      scope: { names: null, addresses: [] },
      now: Date.now,
    });
    expect(wide.renewed).toBe(true);
    const forged = await wide.issue(['bank.example.org']);
    expect(await handshake(forged, 'bank.example.org', wide.pem)).toBe('DNS:bank.example.org');
    await expect(handshake(forged, 'bank.example.org', narrow.pem)).rejects.toThrow(/permitted subtree violation/);
    const address = await wide.issue(['198.51.100.1', 'app.tunnel.example.com']);
    await expect(handshake(address, 'app.tunnel.example.com', narrow.pem)).rejects.toThrow(
      /permitted subtree violation/,
    );
  });

  test('beyond it a certificate signs itself: nobody is made to trust it', async () => {
    const again = await openCa(place('scope'), scope);
    const leaf = await again.issue(['shop.customer.example']);
    expect(await handshake(leaf, 'shop.customer.example', leaf.cert)).toBe('DNS:shop.customer.example');
    await expect(handshake(leaf, 'shop.customer.example', again.pem)).rejects.toThrow(/self-signed/);
  });

  test('changes with the base domains; the key stays, so that old trust holds for old names', async () => {
    await mkdir(place('moved'));
    const before = await openCa(place('moved'), caScope({ ...base, more: ['old.test'] }));
    const after = await openCa(place('moved'), caScope({ ...base, more: ['old.test', 'new.test'] }));
    expect(after.renewed).toBe(true);
    expect((await openCa(place('moved'), caScope({ ...base, more: ['old.test', 'new.test'] }))).pem).toBe(after.pem);
    const old = await after.issue(['a.old.test']);
    expect(await handshake(old, 'a.old.test', before.pem)).toBe('DNS:a.old.test');
    expect(await handshake(old, 'a.old.test', after.pem)).toBe('DNS:a.old.test');
    const fresh = await after.issue(['a.new.test']);
    expect(await handshake(fresh, 'a.new.test', after.pem)).toBe('DNS:a.new.test');
    await expect(handshake(fresh, 'a.new.test', before.pem)).rejects.toThrow(/permitted subtree violation/);
  });
});
