/** What is read from a certificate that was issued. */
import { X509Certificate } from 'node:crypto';
import { extensionsOf } from '@postern/policy';

const AUTHORITY_KEY = '2.5.29.35';
const KEY_ID = 0x80;

/**
 * What renewal information is asked by (RFC 9773 §4.1); '' = the certificate does not say whose it is.
 * @param chain PEM, leaf first
 */
export function renewalIdOf(chain: string): string {
  const certificate = new X509Certificate(chain);
  const keyId = authorityKeyId(chain);
  const serial = Buffer.from(evenHex(certificate.serialNumber), 'hex');
  // A serial number is positive: DER puts a zero before one whose first bit is set.
  const number = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), serial]) : serial;
  return keyId === null ? '' : `${keyId.toString('base64url')}.${number.toString('base64url')}`;
}

function evenHex(text: string): string {
  return text.length % 2 === 0 ? text : `0${text}`;
}

/** `SEQUENCE { [0] keyIdentifier … }`, all of it short. */
function authorityKeyId(pem: string): Buffer | null {
  const found = extensionsOf(pem).find(({ id }) => id === AUTHORITY_KEY);
  if (found === undefined) return null;
  const value = Buffer.from(found.value);
  const length = value[3];
  if (value[2] !== KEY_ID || length === undefined || length > 0x7f) return null;
  const keyId = value.subarray(4, 4 + length);
  return keyId.length === length ? keyId : null;
}
