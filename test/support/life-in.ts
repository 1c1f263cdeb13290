import { X509Certificate } from 'node:crypto';
import type { TlsIdentity } from '@postern/link';

/** From when and until when a certificate is good, Unix milliseconds. */
export function lifeIn(identity: TlsIdentity | undefined): { notBefore: number; notAfter: number } | null {
  if (identity === undefined) return null;
  const { validFromDate, validToDate } = new X509Certificate(identity.cert);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}
