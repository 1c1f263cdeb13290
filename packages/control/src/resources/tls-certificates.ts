import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { fail } from '@postern/errors';
import { belongTogether, privateKeyProblem, readCertificates } from '@postern/policy';
import type { PlainRows } from '@postern/resources';
import { timestamp } from '@postern/store';
import type { Core } from '../core.ts';
import { certificateKey } from '../state/certificate-key.ts';
import { attributeOf, keyUsagesOf, purposesOf } from './certificate-fields.ts';
import type { HooksOf } from './hooks.ts';

/** What a handshake shows: uploaded here, or issued (`@postern/acme`); it is served where a reserved domain names it. */
export const tlsCertificates: HooksOf<'tlsCertificates'> = (core) => ({
  make(head, { certificatePem = '', privateKeyPem = '', description = '', metadata = '' }) {
    const certificate = readChain(certificatePem, privateKeyPem);
    const shown = shownOf(certificate, privateKeyPem);
    return { row: { ...head, description, metadata, certificatePem, privateKeyPem, issuedAt: '', ...shown } };
  },
  usedBy: {
    users: ({ id }) => usersOf(core, id),
    error: ({ id }, users) => fail(1926, { id, users }),
  },
});

/** What answers show of a certificate and its key. */
export function shownOf(
  certificate: X509Certificate,
  key: string,
): Omit<
  PlainRows['tlsCertificates'],
  'id' | 'accountId' | 'createdAt' | 'description' | 'metadata' | 'certificatePem' | 'privateKeyPem' | 'issuedAt'
> {
  const { subject, issuer } = certificate;
  const names = namesOf(certificate);
  return {
    subjectCommonName: attributeOf(subject, 'CN'),
    subjectAlternativeNames: {
      dnsNames: names.flatMap(([kind, value]) => (kind === 'DNS' ? [value] : [])),
      ips: names.flatMap(([kind, value]) => (kind === 'IP Address' ? [value] : [])),
    },
    notBefore: timestamp(certificate.validFromDate.getTime()),
    notAfter: timestamp(certificate.validToDate.getTime()),
    keyUsages: keyUsagesOf(certificate),
    extendedKeyUsages: purposesOf(certificate),
    privateKeyType: KEY_TYPES[createPrivateKey(key).asymmetricKeyType ?? ''] ?? 'other',
    issuerCommonName: attributeOf(issuer, 'CN'),
    serialNumber: certificate.serialNumber.toLowerCase(),
    subjectOrganization: attributeOf(subject, 'O'),
    subjectOrganizationalUnit: attributeOf(subject, 'OU'),
    subjectLocality: attributeOf(subject, 'L'),
    subjectProvince: attributeOf(subject, 'ST'),
    subjectCountry: attributeOf(subject, 'C'),
  };
}

const KEY_TYPES: Readonly<Record<string, string>> = { ec: 'ecdsa', rsa: 'rsa', 'rsa-pss': 'rsa', ed25519: 'ed25519' };

/** @returns the first one. @throws 1902, 1903, 1904, 1905 */
function readChain(pem: string, key: string): X509Certificate {
  const read = readCertificates(pem);
  if (typeof read === 'string') throw fail(1902, { reason: read });
  // It is shown as it was given.
  if (pem.includes('PRIVATE KEY-----'))
    throw fail(1902, { reason: 'its text holds a private key, which answers would show' });
  const problem = privateKeyProblem(key);
  if (problem !== null) throw fail(1903, { reason: problem });
  const [certificate] = read;
  if (certificate === undefined || !belongTogether(pem, key)) throw fail(1904);
  for (const [index, one] of read.entries()) {
    const before = read[index - 1];
    if (before !== undefined && !before.checkIssued(one)) throw fail(1905, { place: index + 1 });
  }
  return certificate;
}

/** Kind and value of each; values with a comma or a quote in them are written as JSON and name nothing that is served. */
function namesOf({ subjectAltName = '' }: X509Certificate): readonly (readonly [string, string])[] {
  return subjectAltName.split(', ').flatMap((entry): (readonly [string, string])[] => {
    const colon = entry.indexOf(':');
    return colon === -1 ? [] : [[entry.slice(0, colon), entry.slice(colon + 1)]];
  });
}

async function usersOf({ catalog, store }: Core, id: string): Promise<readonly string[]> {
  const domains = catalog.domains.at(certificateKey(id)).map(({ domain }) => `reserved domain ${domain}`);
  const managed = await store.managedCertificates.find({ certificateId: id });
  return [...domains, ...managed.map(({ names }) => `the managed certificate of ${names.join(', ')}`)];
}
