import { X509Certificate } from 'node:crypto';
import { AgentError } from './agent-error.ts';

/** A PEM text that is none would fail inside a callback later; it is refused where it is given. */
export function checkAuthority(pem: string | undefined, name: string): void {
  if (pem === undefined) return;
  // Files of authorities often have a line of words before each certificate.
  const certificates = pem.split(/(?=-----BEGIN CERTIFICATE-----)/).filter((part) => part.startsWith('-----BEGIN'));
  try {
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    for (const certificate of certificates) void new X509Certificate(certificate);
  } catch (cause) {
    throw new AgentError(`"${name}" is not a list of PEM certificates.`, { cause });
  }
}
