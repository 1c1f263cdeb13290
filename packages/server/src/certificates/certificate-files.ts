import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsIdentity } from '@postern/link';
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../problem.ts';

export interface CertificateFile {
  readonly cert: string;
  readonly key: string;
}

/** When a certificate ends. */
export interface Expiry {
  /** `authority`, or the file. */
  readonly certificate: string;
  /** Unix milliseconds. */
  readonly notAfter: number;
}

/**
 * Certificates given by file, found by the names inside them. Everything is read and checked before anything is
 * replaced: a bad file on reload leaves the old certificates in use.
 */
export class FileCertificates {
  readonly #files: readonly CertificateFile[];
  #byName = new Map<string, TlsIdentity>();
  #expiries: readonly Expiry[] = [];

  /** @throws ConfigError */
  constructor(files: readonly CertificateFile[]) {
    this.#files = files;
    this.reload();
  }

  /** Reads every file again. @throws ConfigError, with the old certificates kept */
  reload(): void {
    const byName = new Map<string, TlsIdentity>();
    const expiries: Expiry[] = [];
    for (const file of this.#files) {
      const identity = readIdentity(file);
      for (const name of namesIn(identity.cert)) byName.set(name, identity);
      expiries.push({ certificate: file.cert, notAfter: endOf(identity.cert) });
    }
    this.#byName = byName;
    this.#expiries = expiries;
  }

  get expiries(): readonly Expiry[] {
    return this.#expiries;
  }

  /** The certificate for a name: exact, or a wildcard one label up (RFC 6125 §6.4.3). */
  find(serverName: string): TlsIdentity | null {
    const dot = serverName.indexOf('.');
    return (
      this.#byName.get(serverName) ?? (dot === -1 ? null : (this.#byName.get(`*${serverName.slice(dot)}`) ?? null))
    );
  }
}

/** Of the first certificate in a PEM text. */
export function endOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

function readIdentity(file: CertificateFile): TlsIdentity {
  const cert = read(file.cert);
  const key = read(file.key);
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new Error('the key does not belong to the certificate');
    }
  } catch (error) {
    throw new ConfigError('--tls-certificate', `${file.cert},${file.key}`, messageOf(error));
  }
  return { cert, key };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('--tls-certificate', path, `the file cannot be read (${messageOf(error)})`);
  }
}

function namesIn(pem: string): readonly string[] {
  const certificate = new X509Certificate(pem);
  const names = (certificate.subjectAltName ?? '').split(/,\s*/).flatMap((entry) => {
    const [kind, value] = entry.split(/:(.*)/s);
    return (kind === 'DNS' || kind === 'IP Address') && value !== undefined ? [value.toLowerCase()] : [];
  });
  if (names.length > 0) return names;
  const common = /(?:^|\n)CN=([^\n]+)/.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}
