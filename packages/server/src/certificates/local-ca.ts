import {
  type KeyObject,
  X509Certificate,
  createPrivateKey,
  createPublicKey,
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
import { type CaScope, isInScope, nameConstraints } from './ca-scope.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const CA_DAYS = 3650;
/** Under the 398 days that browsers accept, long enough that a forgotten server keeps working. */
export const LEAF_DAYS = 90;
/** As it lies in a certificate. */
const NAME_CONSTRAINTS_OID = Buffer.from('0603551d1e', 'hex');
const NAME = 'CN=Postern local authority, O=Postern';

/** Where the authority lies and what it may vouch for. */
export interface CaPlace {
  readonly directory: string;
  /** Seals the key. */
  readonly box: SecretBox;
  readonly scope: CaScope;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * The certificate authority of this installation, made on first run. It signs a leaf for each name that Postern
 * serves, so that nested wildcards and names under `localhost` work, which no single wildcard certificate covers
 * (agent-and-ux.md §6.2). `ca.pem` is for clients to trust, for the names of its scope; the key is sealed with the
 * installation's key. Names beyond the scope get a certificate that signs itself: TLS works for clients that do not
 * verify, and nobody is made to trust it.
 */
export class LocalCa {
  readonly pem: string;
  /** Whether the scope has changed, so that clients need the new `ca.pem` for names that are new in it. */
  readonly renewed: boolean;
  readonly #scope: CaScope;
  readonly #key: webcrypto.CryptoKey;
  readonly #now: () => number;
  #issuer: X509.X509Certificate | null = null;

  private constructor(pem: string, key: webcrypto.CryptoKey, { scope, now }: CaPlace, renewed: boolean) {
    this.pem = pem;
    this.renewed = renewed;
    this.#scope = scope;
    this.#key = key;
    this.#now = now;
  }

  /**
   * Reads the authority from its directory, or makes it. When its scope has changed, its certificate is made anew for
   * the same key: clients that have the old one go on trusting it for the names that it has.
   * @throws ConfigError when its files are incomplete or do not belong to the installation's key
   */
  static async open(place: CaPlace): Promise<LocalCa> {
    const { directory, box, scope, now } = place;
    const certPath = path.join(directory, 'ca.pem');
    const keyPath = path.join(directory, 'ca.key');
    const [certPem, sealedKey] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)]);
    if (certPem !== null && sealedKey !== null) {
      const key = openKey(box, sealedKey, keyPath, certPem);
      const signing = await importKey(key);
      if (hasScope(certPem, scope)) return new LocalCa(certPem, signing, place, false);
      const pem = await selfSigned(signing, createPublicKey(key), scope, now());
      await writeFileAtomically(certPath, pem, 0o644);
      return new LocalCa(pem, signing, place, true);
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
    const pem = await selfSigned(signingKey, publicKey, scope, now());
    // The key first: a ca.pem without its key would stop the next start.
    await writeFileAtomically(keyPath, `${box.seal(pkcs8(privateKey), 'ca.key')}\n`, 0o600);
    await writeFileAtomically(certPath, pem, 0o644);
    return new LocalCa(pem, signingKey, place, false);
  }

  /** A server certificate for names and addresses; the chain holds the authority, so that pinning either works. */
  async issue(names: readonly string[]): Promise<TlsIdentity> {
    const x509 = await library();
    this.#issuer ??= new x509.X509Certificate(this.pem);
    const issuer = this.#issuer;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const now = this.#now();
    // A common name holds 64 characters at most (RFC 5280, ub-common-name); the SAN is what counts.
    const subject = `CN=${(names[0] ?? 'postern').slice(0, 64)}`;
    const ours = names.every((name) => isInScope(this.#scope, name));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: ours ? issuer.subject : subject,
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + LEAF_DAYS * DAY),
      signingAlgorithm: ALGORITHM,
      signingKey: ours ? this.#key : await importKey(privateKey),
      publicKey: spki(publicKey),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }) as const),
        ),
        // By the key alone: the authority's certificate may be made anew.
        await x509.AuthorityKeyIdentifierExtension.create(ours ? issuer.publicKey : spki(publicKey)),
      ],
    });
    const leaf = `${certificate.toString('pem')}\n`;
    return { cert: ours ? `${leaf}${this.pem}` : leaf, key: pkcs8(privateKey) };
  }
}

async function selfSigned(
  signingKey: webcrypto.CryptoKey,
  publicKey: KeyObject,
  scope: CaScope,
  now: number,
): Promise<string> {
  const x509 = await library();
  const constraints = nameConstraints(scope);
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
      ...(constraints === null ? [] : [new x509.Extension(constraints.oid, true, constraints.der)]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Whether the certificate was made for this scope: its constraints are the same bytes, or it has none. */
function hasScope(pem: string, scope: CaScope): boolean {
  const { raw } = new X509Certificate(pem);
  const constraints = nameConstraints(scope);
  return constraints === null ? !raw.includes(NAME_CONSTRAINTS_OID) : raw.includes(constraints.der);
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
