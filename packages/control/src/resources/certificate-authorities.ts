import type { X509Certificate } from 'node:crypto';
import { fail } from '@postern/errors';
import { readCertificates } from '@postern/policy';
import { timestamp } from '@postern/store';
import { attributeOf, keyUsagesOf, purposesOf } from './certificate-fields.ts';
import type { HooksOf } from './hooks.ts';

/** Authorities of clients; what is shown of one is read from its certificate once (api.md §6). */
export const certificateAuthorities: HooksOf<'certificateAuthorities'> = () => ({
  make(head, { caPem = '', description = '', metadata = '' }) {
    const certificate = readAuthority(caPem);
    const row = {
      ...head,
      caPem,
      description,
      metadata,
      subjectCommonName: attributeOf(certificate.subject, 'CN'),
      notBefore: timestamp(certificate.validFromDate.getTime()),
      notAfter: timestamp(certificate.validToDate.getTime()),
      keyUsages: keyUsagesOf(certificate),
      extendedKeyUsages: purposesOf(certificate),
    };
    return { row };
  },
});

/** @throws 1911, 1912, 1913, 1920 */
function readAuthority(pem: string): X509Certificate {
  // It is shown as it was given: a private key behind the certificate would be, too.
  for (const [, type = ''] of pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)) {
    if (type !== 'CERTIFICATE') throw fail(1911, { type });
  }
  const read = readCertificates(pem);
  if (typeof read === 'string') throw fail(1920, { reason: read });
  const [certificate] = read;
  if (certificate === undefined || read.length > 1) throw fail(1912, { count: read.length });
  if (!certificate.ca) throw fail(1913);
  return certificate;
}
