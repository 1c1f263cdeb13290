import 'reflect-metadata';
import { type KeyObject, createPrivateKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import type { SecretBox } from '@postern/store';
import type { TlsIdentity } from '@postern/edge';
import { writeFileAtomically } from '../files.ts';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const CA_DAYS = 3650;
/** Under the 398 days that browsers accept, long enough that a forgotten server keeps working. */
export const LEAF_DAYS = 90;

/**
 * The certificate authority of this installation, made on first run. It signs a leaf for each name that Postern
 * serves, so that nested wildcards and names under `localhost` work, which no single wildcard certificate covers
 * (agent-and-ux.md §6.2). `ca.pem` is for clients to trust; the key is sealed with the installation's key.
 */
export class LocalCa {
  readonly pem: string;
  readonly #issuer: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;
  readonly #now: () => number;

  private constructor(pem: string, key: webcrypto.CryptoKey, now: () => number) {
    this.pem = pem;
    this.#issuer = new x509.X509Certificate(pem);
    this.#key = key;
    this.#now = now;
  }

  /** Reads the authority from `directory`, or makes it. */
  static async open(directory: string, box: SecretBox, now: () => number): Promise<LocalCa> {
    const certPath = path.join(directory, 'ca.pem');
    const keyPath = path.join(directory, 'ca.key');
    const [certPem, sealedKey] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
    if (certPem !== null && sealedKey !== null) {
      const key = createPrivateKey(box.open(sealedKey.trim(), 'ca.key'));
      return new LocalCa(certPem, await importKey(key), now);
    }
    if (certPem !== null || sealedKey !== null) {
      throw new Error(
        `${directory} holds only one of ca.pem and ca.key. Put the other back, or remove both to make a new authority ` +
          '(clients must then trust the new ca.pem).',
      );
    }
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: 'CN=Postern local authority, O=Postern',
      issuer: 'CN=Postern local authority, O=Postern',
      notBefore: new Date(now() - DAY),
      notAfter: new Date(now() + CA_DAYS * DAY),
      signingAlgorithm: ALGORITHM,
      signingKey: await importKey(privateKey),
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey.export({ type: 'spki', format: 'der' })),
      ],
    });
    const pem = `${certificate.toString('pem')}\n`;
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    // The key first: a ca.pem without its key would stop the next start.
    await writeFileAtomically(keyPath, `${box.seal(keyPem, 'ca.key')}\n`, 0o600);
    await writeFileAtomically(certPath, pem, 0o644);
    return new LocalCa(pem, await importKey(privateKey), now);
  }

  /** A server certificate for names and addresses; the chain holds the authority, so that pinning either works. */
  async issue(names: readonly string[]): Promise<TlsIdentity> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const now = this.#now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      // A common name holds 64 characters at most (RFC 5280, ub-common-name); the SAN is what counts.
      subject: `CN=${(names[0] ?? 'postern').slice(0, 64)}`,
      issuer: this.#issuer.subject,
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + LEAF_DAYS * DAY),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#key,
      publicKey: spki,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }) as const),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer),
      ],
    });
    return {
      cert: `${certificate.toString('pem')}\n${this.pem}`,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
}

function importKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), ALGORITHM, false, ['sign']);
}

/** 20 bytes at most, positive (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
