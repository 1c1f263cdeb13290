import {
  type KeyObject,
  X509Certificate,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  webcrypto,
} from 'node:crypto';
import { isIP } from 'node:net';
import path from 'node:path';
import type * as X509 from '@peculiar/x509';
import type { SecretBox } from '@postern/store';
import type { TlsIdentity } from '@postern/link';
import { ConfigError } from '../config/config-error.ts';
import { readIfThere, writeFileAtomically } from '../files.ts';
import { messageOf } from '../problem.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const CA_DAYS = 3650;
/** Under the 398 days that browsers accept, long enough that a forgotten server keeps working. */
export const LEAF_DAYS = 90;
const NAME = 'CN=Postern local authority, O=Postern';

/**
 * The certificate authority of this installation, made on first run. It signs a leaf for each name that Postern
 * serves, so that nested wildcards and names under `localhost` work, which no single wildcard certificate covers
 * (agent-and-ux.md §6.2). `ca.pem` is for clients to trust; the key is sealed with the installation's key.
 */
export class LocalCa {
  readonly pem: string;
  readonly #key: webcrypto.CryptoKey;
  readonly #now: () => number;
  #issuer: X509.X509Certificate | null = null;

  private constructor(pem: string, key: webcrypto.CryptoKey, now: () => number) {
    this.pem = pem;
    this.#key = key;
    this.#now = now;
  }

  /**
   * Reads the authority from `directory`, or makes it.
   * @throws ConfigError when its files are incomplete or do not belong to the installation's key
   */
  static async open(directory: string, box: SecretBox, now: () => number): Promise<LocalCa> {
    const certPath = path.join(directory, 'ca.pem');
    const keyPath = path.join(directory, 'ca.key');
    const [certPem, sealedKey] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
    if (certPem !== null && sealedKey !== null) {
      return new LocalCa(certPem, await importKey(openKey(box, sealedKey, keyPath, certPem)), now);
    }
    // A key alone is what a first run leaves that was cut short: nobody trusts its certificate yet.
    if (certPem !== null) {
      throw new ConfigError(
        '--data-dir',
        directory,
        'holds ca.pem without ca.key. Put the key back, or remove ca.pem to make a new authority (clients must then ' +
          'trust the new ca.pem)',
      );
    }
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signingKey = await importKey(privateKey);
    const pem = await selfSigned(signingKey, publicKey, now());
    // The key first: a ca.pem without its key would stop the next start.
    await writeFileAtomically(keyPath, `${box.seal(pkcs8(privateKey), 'ca.key')}\n`, 0o600);
    await writeFileAtomically(certPath, pem, 0o644);
    return new LocalCa(pem, signingKey, now);
  }

  /** A server certificate for names and addresses; the chain holds the authority, so that pinning either works. */
  async issue(names: readonly string[]): Promise<TlsIdentity> {
    const x509 = await library();
    this.#issuer ??= new x509.X509Certificate(this.pem);
    const issuer = this.#issuer;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const now = this.#now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      // A common name holds 64 characters at most (RFC 5280, ub-common-name); the SAN is what counts.
      subject: `CN=${(names[0] ?? 'postern').slice(0, 64)}`,
      issuer: issuer.subject,
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + LEAF_DAYS * DAY),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#key,
      publicKey: spki(publicKey),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }) as const),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ],
    });
    return { cert: `${certificate.toString('pem')}\n${this.pem}`, key: pkcs8(privateKey) };
  }
}

async function selfSigned(signingKey: webcrypto.CryptoKey, publicKey: KeyObject, now: number): Promise<string> {
  const x509 = await library();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: NAME,
    issuer: NAME,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + CA_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey: spki(publicKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(spki(publicKey)),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

let loading: Promise<typeof X509> | null = null;

/** Loaded at the first signature: it takes a tenth of a second, which the start of a server does not have. */
function library(): Promise<typeof X509> {
  loading ??= (async () => {
    // The library's dependency injection needs it there first.
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    x509.cryptoProvider.set(webcrypto);
    return x509;
  })();
  return loading;
}

function openKey(box: SecretBox, sealed: string, file: string, certPem: string): KeyObject {
  try {
    const key = createPrivateKey(box.open(sealed.trim(), 'ca.key'));
    if (!new X509Certificate(certPem).checkPrivateKey(key)) throw new Error('ca.pem belongs to another key');
    return key;
  } catch (error) {
    throw new ConfigError(
      '--data-dir',
      file,
      `the authority of this installation cannot be used (${messageOf(error)}). Its key is sealed with the installation's encryption ` +
        'key; bring both back from one backup, or remove ca.key and ca.pem to make a new authority',
    );
  }
}

function importKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), ALGORITHM, false, ['sign']);
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** 20 bytes at most, positive (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
