/** A self-signed certificate made on the spot (RFC 5280), for tests: no key lies in the repository. */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export function selfSigned(commonName: string, organization = 'Test', kind: 'ec' | 'rsa' = 'ec'): TestCertificate {
  const { publicKey, privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const algorithm =
    kind === 'ec' ? sequence(oid('2a8648ce3d040302')) : sequence(oid('2a864886f70d01010b'), der(0x05, Buffer.alloc(0)));
  const name = sequence(
    set(sequence(oid('550406'), printable('DE'))),
    set(sequence(oid('55040a'), utf8(organization))),
    set(sequence(oid('550403'), utf8(commonName))),
  );
  const san = der(
    0x30,
    der(0x82, Buffer.from(commonName)),
    der(0x81, Buffer.from('ops@example.com')),
    der(0x86, Buffer.from('https://example.com/x')),
    der(0x87, Buffer.from([10, 0, 0, 1])),
  );
  const extensions = der(0xa3, sequence(sequence(oid('551d11'), der(0x04, san))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x12, 0x34])),
    algorithm,
    name,
    sequence(der(0x17, Buffer.from('260101000000Z')), der(0x17, Buffer.from('360101000000Z'))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const lines =
    sequence(body, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const set = (...parts: Buffer[]): Buffer => der(0x31, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const printable = (text: string): Buffer => der(0x13, Buffer.from(text));
