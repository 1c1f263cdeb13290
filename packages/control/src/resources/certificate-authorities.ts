import type { X509Certificate } from 'node:crypto';
import { fail } from '@postern/errors';
import { extensionsOf, readCertificates } from '@postern/policy';
import { timestamp } from '@postern/store';
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
      subjectCommonName: commonNameOf(certificate),
      notBefore: timestamp(certificate.validFromDate.getTime()),
      notAfter: timestamp(certificate.validToDate.getTime()),
      keyUsages: keyUsagesOf(certificate),
      extendedKeyUsages: (certificate.keyUsage ?? []).map((oid) => PURPOSES[oid] ?? oid),
    };
    return { row };
  },
});

/** @throws 1911, 1912, 1913, 1920 */
function readAuthority(pem: string): X509Certificate {
  const [, type] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem) ?? [];
  if (type !== undefined && type !== 'CERTIFICATE') throw fail(1911, { type });
  const read = readCertificates(pem);
  if (typeof read === 'string') throw fail(1920, { reason: read });
  const [certificate] = read;
  if (certificate === undefined || read.length > 1) throw fail(1912, { count: read.length });
  if (!certificate.ca) throw fail(1913);
  return certificate;
}

/** Node writes one attribute per line. */
function commonNameOf({ subject }: X509Certificate): string {
  const line = subject.split('\n').find((attribute) => attribute.startsWith('CN='));
  return line?.slice('CN='.length) ?? '';
}

/** RFC 5280 §4.2.1.12 */
const PURPOSES: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
};

/** RFC 5280 §4.2.1.3, by bit. */
const USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];
const KEY_USAGE = '2.5.29.15';

/** Node shows the extended ones only. */
function keyUsagesOf(certificate: X509Certificate): readonly string[] {
  const found = extensionsOf(certificate.toString()).find(({ id }) => id === KEY_USAGE);
  if (found === undefined) return [];
  const [, length = 0] = found.value;
  const start = length < 0x80 ? 2 : 2 + (length & 0x7f);
  // The first byte says how many bits at the end are none.
  const bits = found.value.subarray(start + 1);
  return USAGES.filter((_name, bit) => (((bits[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0);
}
