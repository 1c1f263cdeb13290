/** Whether a certificate was revoked, as its authority signs it for handshakes to carry (RFC 6960, RFC 6066 §8). */
import { createHash, verify, X509Certificate } from 'node:crypto';
import { type Der, elementsOf, encode, inside, TAG } from './der.ts';

const SHA1 = Buffer.from('06052b0e03021a0500', 'hex');
/** id-ad-ocsp, as certificates name a responder. */
const RESPONDER = Buffer.from('2b06010505073001', 'hex');
const END = '-----END CERTIFICATE-----';
const BASIC = '2b0601050507300101';
const SIGNING = '1.3.6.1.5.5.7.3.9';
/** Signature algorithms by their object identifiers' bytes. */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

export interface Question {
  /** Of the responder: http, as responders are. */
  readonly url: string;
  /** DER. */
  readonly request: Buffer;
  readonly issuer: X509Certificate;
  /** CertID of the certificate. */
  readonly id: Buffer;
}

export interface Staple {
  /** DER, as a handshake carries it. */
  readonly response: Buffer;
  readonly revoked: boolean;
  /** Unix milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** @param chain PEM, leaf first. @returns null where the certificate names no responder, or the chain has no issuer */
export function questionOf(chain: string): Question | null {
  const end = chain.indexOf(END) + END.length;
  // Most name none, and to read a certificate takes fifty times as long as to look for that.
  if (!Buffer.from(chain.slice(chain.indexOf('\n'), end - END.length), 'base64').includes(RESPONDER)) return null;
  const [leafPem, issuerPem] = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (leafPem === undefined || issuerPem === undefined) return null;
  const [leaf, issuer] = [new X509Certificate(leafPem), new X509Certificate(issuerPem)];
  const url = /^OCSP - URI:(http:\/\/[!-~]{1,500})$/m.exec(leaf.infoAccess ?? '')?.[1];
  if (url === undefined || !URL.canParse(url)) return null;
  const id = certId(leaf, issuer);
  return id === null
    ? null
    : {
        url,
        issuer,
        id,
        request: encode(TAG.SEQUENCE, encode(TAG.SEQUENCE, encode(TAG.SEQUENCE, encode(TAG.SEQUENCE, id)))),
      };
}

/** §4.1.1: hashes of the issuer's name and key, and the serial number. */
function certId(leaf: X509Certificate, issuer: X509Certificate): Buffer | null {
  const [tbs] = inside(elementsOf(leaf.raw)?.[0]);
  const fields = inside(tbs);
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, , name] = fields.slice(at);
  const spki = elementsOf(issuer.publicKey.export({ type: 'spki', format: 'der' }))?.[0];
  const key = inside(spki)[1];
  if (serial === undefined || name === undefined || key === undefined) return null;
  const sha1 = (bytes: Buffer): Buffer => encode(TAG.BYTES, createHash('sha1').update(bytes).digest());
  return encode(
    TAG.SEQUENCE,
    encode(TAG.SEQUENCE, SHA1),
    sha1(name.whole),
    sha1(key.content.subarray(1)),
    serial.whole,
  );
}

/** @param now Unix milliseconds. @returns what is wrong, in words, where it cannot be carried */
export function readStaple(response: Buffer, { issuer, id }: Question, now: number): Staple | string {
  const [status, wrapped] = inside(elementsOf(response)?.[0]);
  if (status?.tag !== TAG.ENUM || status.content[0] !== 0) return 'the responder did not answer the question';
  const [type, bytes] = inside(inside(wrapped)[0]);
  if (type?.content.toString('hex') !== BASIC || bytes === undefined) return 'the answer is of an unknown kind';
  const [data, algorithm, signature, certificates] = inside(elementsOf(bytes.content)?.[0]);
  if (data === undefined || signature === undefined) return 'the answer is not whole';
  const hash = HASHES[inside(algorithm)[0]?.content.toString('hex') ?? ''];
  const signers = [issuer, ...delegated(certificates, issuer)];
  const signed = (one: X509Certificate): boolean =>
    hash !== undefined && verify(hash, data.whole, one.publicKey, signature.content.subarray(1));
  if (!signers.some(signed)) return 'the answer is not signed by the authority';
  // Version and extensions have tags of their own; answers to several questions are one sequence.
  const single = inside(inside(data).find(({ tag }) => tag === TAG.SEQUENCE)).find(
    (one) => inside(one)[0]?.whole.equals(id) === true,
  );
  const [, verdict, since, until] = inside(single);
  const [thisUpdate, nextUpdate] = [timeOf(since), timeOf(inside(until)[0])];
  if (verdict === undefined || !(thisUpdate <= now + 300_000))
    return 'the answer is about another certificate, or time';
  if (!(nextUpdate > now)) return 'the answer is old, or has no end';
  if ((verdict.tag & 0x1f) === 2) return 'the responder does not know the certificate';
  return { response, revoked: (verdict.tag & 0x1f) === 1, thisUpdate, nextUpdate };
}

/** §4.2.2.2: whom the issuer lets sign answers. */
function delegated(certificates: Der | undefined, issuer: X509Certificate): readonly X509Certificate[] {
  return inside(inside(certificates)[0]).flatMap(({ whole }) => {
    try {
      const one = new X509Certificate(whole);
      return one.verify(issuer.publicKey) && one.keyUsage.includes(SIGNING) ? [one] : [];
    } catch {
      return [];
    }
  });
}

/** GeneralizedTime in UTC; NaN = it is none. */
function timeOf(der: Der | undefined): number {
  const text = der?.tag === TAG.TIME ? der.content.toString('latin1') : '';
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
