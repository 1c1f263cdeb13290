/**
 * PEM texts of tenants (RFC 7468), checked when they are written and not when the first visitor's handshake fails. All
 * of it takes time in proportion to the text, and what one handshake may cost everybody else has a bound: sizes of texts
 * and keys, and how many authorities a client's certificate is looked up in.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { MAX_PEM } from './schema.ts';

/** Certificates in one text, and client authorities of one endpoint. */
export const MAX_CERTIFICATES = 50;
/** RSA: a signature with 4,096 bits takes 3 ms of the event loop, one with 16,384 a fifth of a second. */
const MAX_PRIVATE_BITS = 4096;
/** Checking a signature is cheaper. */
const MAX_PUBLIC_BITS = 8192;

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const UNREADABLE = 'a certificate in it does not parse';
const KEY_TYPES: ReadonlySet<string | undefined> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448']);

/** The certificates of a text, in order; or, as a text, why it is not one certificate or more. */
export function readCertificates(pem: string): readonly X509Certificate[] | string {
  if (pem.length > MAX_PEM) return `it has ${pem.length} characters, and at most ${MAX_PEM} are taken`;
  const found: X509Certificate[] = [];
  for (let begin = pem.indexOf(BEGIN); begin !== -1;) {
    const end = pem.indexOf(END, begin);
    if (end === -1) return UNREADABLE;
    if (found.length === MAX_CERTIFICATES) return `it holds more than ${MAX_CERTIFICATES} certificates`;
    const certificate = parse(pem.slice(begin, end + END.length));
    if (certificate === null) return UNREADABLE;
    if (!isUsable(certificate.publicKey, MAX_PUBLIC_BITS))
      return 'a certificate in it has a key of a kind or size that is not served';
    found.push(certificate);
    begin = pem.indexOf(BEGIN, end);
  }
  return found.length === 0 ? 'a certificate in PEM is needed' : found;
}

/** @returns why the text is not one certificate or more, or null. */
export function certificateProblem(pem: string): string | null {
  const read = readCertificates(pem);
  return typeof read === 'string' ? read : null;
}

/** @returns why the text is no private key that a handshake can use, or null. The text stays out of it. */
export function privateKeyProblem(pem: string): string | null {
  if (pem.length > MAX_PEM) return `it has ${pem.length} characters, and at most ${MAX_PEM} are taken`;
  const key = readPrivateKey(pem);
  if (key === null) return 'a private key in PEM is needed';
  return isUsable(key, MAX_PRIVATE_BITS)
    ? null
    : `a key for RSA with at most ${MAX_PRIVATE_BITS} bits, ECDSA or EdDSA is needed`;
}

/** Whether the first certificate of the chain is for that key; both have been found without a problem. */
export function belongTogether(certificates: string, pem: string): boolean {
  const key = readPrivateKey(pem);
  return key !== null && new X509Certificate(certificates.slice(certificates.indexOf(BEGIN))).checkPrivateKey(key);
}

function parse(block: string): X509Certificate | null {
  try {
    return new X509Certificate(block);
  } catch {
    return null;
  }
}

function readPrivateKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function isUsable(key: KeyObject, mostBits: number): boolean {
  return KEY_TYPES.has(key.asymmetricKeyType) && (key.asymmetricKeyDetails?.modulusLength ?? 0) <= mostBits;
}
