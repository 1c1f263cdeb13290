import type { X509Certificate } from 'node:crypto';
import { fail } from '@postern/errors';
import { readCertificates } from '@postern/policy';
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
      keyUsages: keyUsagesOf(certificate.raw),
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
const KEY_USAGE = Buffer.from([0x55, 0x1d, 0x0f]);
const SEQUENCE = 0x30;
const EXTENSIONS = 0xa3;
const OCTETS = 0x04;

interface Node {
  readonly tag: number;
  readonly content: Buffer;
}

/** Node shows the extended ones only. The certificate has been parsed before, so its DER is in order. */
function keyUsagesOf(der: Buffer): readonly string[] {
  const [certificate] = nodesOf(der);
  const [signed] = nodesOf(certificate?.content);
  const extensions = nodesOf(signed?.content).find(({ tag }) => tag === EXTENSIONS);
  const [list] = nodesOf(extensions?.content);
  for (const extension of nodesOf(list?.content)) {
    const [oid, ...rest] = extension.tag === SEQUENCE ? nodesOf(extension.content) : [];
    if (oid?.content.equals(KEY_USAGE) !== true) continue;
    const [bits] = nodesOf(rest.find(({ tag }) => tag === OCTETS)?.content);
    // The first byte says how many bits at the end are none.
    const bytes = bits?.content.subarray(1) ?? Buffer.alloc(0);
    return USAGES.filter((_name, bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0);
  }
  return [];
}

/** What stands side by side, as tag, length and content (X.690 §8.1). */
function nodesOf(der: Buffer | undefined): Node[] {
  const nodes: Node[] = [];
  if (der === undefined) return nodes;
  for (let at = 0; at + 2 <= der.length;) {
    const first = der.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + more;
    if (more > 4 || start > der.length) break;
    const length = more === 0 ? first : der.readUIntBE(at + 2, more);
    nodes.push({ tag: der.readUInt8(at), content: der.subarray(start, start + length) });
    at = start + length;
  }
  return nodes;
}
