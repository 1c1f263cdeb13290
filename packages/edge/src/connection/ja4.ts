/**
 * The JA4 fingerprint of a ClientHello (FoxIO's JA4, version 0.18): what a client offers, whatever the order in which it
 * does, so that programs are told apart that shuffle their extensions.
 */
import { createHash } from 'node:crypto';

/** Numbers as they came, GREASE (RFC 8701) among them. */
export interface HelloOffer {
  readonly legacyVersion: number;
  /** Of supported_versions; empty = not given. */
  readonly versions: readonly number[];
  readonly ciphers: readonly number[];
  readonly extensions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  readonly named: boolean;
  /** The first protocol of ALPN; '' = none. */
  readonly protocol: string;
}

const SERVER_NAME = 0;
const ALPN = 16;
const NOTHING = '000000000000';
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
]);

export function ja4Of(offer: HelloOffer): string {
  const ciphers = offer.ciphers.filter(isMeant);
  const extensions = offer.extensions.filter(isMeant);
  const version = Math.max(0, ...offer.versions.filter(isMeant)) || offer.legacyVersion;
  const sorted = extensions
    .filter((type) => type !== SERVER_NAME && type !== ALPN)
    .map(hex)
    .toSorted()
    .join();
  const signatures = offer.signatureAlgorithms.filter(isMeant).map(hex).join();
  return [
    `t${VERSIONS.get(version) ?? '00'}${offer.named ? 'd' : 'i'}${count(ciphers)}${count(extensions)}${ends(offer.protocol)}`,
    short(ciphers.map(hex).toSorted().join()),
    short(sorted === '' || signatures === '' ? sorted : `${sorted}_${signatures}`),
  ].join('_');
}

function isMeant(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff);
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function count(values: readonly number[]): string {
  return String(Math.min(99, values.length)).padStart(2, '0');
}

/** First and last character; of bytes that are no letters or digits, those of their hexadecimal form. */
function ends(protocol: string): string {
  if (protocol === '') return '00';
  const plain = /^[a-z0-9]$|^[a-z0-9].*[a-z0-9]$/is.test(protocol);
  const text = plain ? protocol : Buffer.from(protocol, 'latin1').toString('hex');
  return `${text.charAt(0)}${text.charAt(text.length - 1)}`;
}

function short(list: string): string {
  return list === '' ? NOTHING : createHash('sha256').update(list).digest('hex').slice(0, 12);
}
