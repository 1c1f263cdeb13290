/** What is shown of a certificate beside its PEM, read from it once. */
import type { X509Certificate } from 'node:crypto';
import { extensionsOf } from '@postern/policy';

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

/** Node writes one attribute per line. @param name `CN`. @returns '' where there is none */
export function attributeOf(distinguishedName: string | undefined, name: string): string {
  // Its type does not say that an empty subject is none.
  const line = (distinguishedName ?? '').split('\n').find((attribute) => attribute.startsWith(`${name}=`));
  return line?.slice(name.length + 1) ?? '';
}

export function purposesOf(certificate: X509Certificate): readonly string[] {
  return (certificate.keyUsage ?? []).map((oid) => PURPOSES[oid] ?? oid);
}

/** Node shows the extended ones only. */
export function keyUsagesOf(certificate: X509Certificate): readonly string[] {
  const found = extensionsOf(certificate.toString()).find(({ id }) => id === KEY_USAGE);
  if (found === undefined) return [];
  const [, length = 0] = found.value;
  const start = length < 0x80 ? 2 : 2 + (length & 0x7f);
  // The first byte says how many bits at the end are none.
  const bits = found.value.subarray(start + 1);
  return USAGES.filter((_name, bit) => (((bits[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0);
}
