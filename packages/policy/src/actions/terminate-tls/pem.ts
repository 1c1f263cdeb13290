/** PEM texts of a rule, checked when the rule is written and not when the first visitor's handshake fails. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';

const UNREADABLE = 'a certificate in it does not parse';

/** @returns why the text is not one certificate or more, or null. */
export function certificateProblem(pem: string): string | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (blocks === null) return 'a certificate in PEM is needed';
  try {
    return blocks.every((block) => new X509Certificate(block).subject !== null) ? null : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

export function readPrivateKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** Whether the first certificate of the chain is for that key. */
export function belongTogether(certificates: string, key: KeyObject): boolean {
  return new X509Certificate(certificates).checkPrivateKey(key);
}
