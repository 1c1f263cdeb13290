import { generateKeyPairSync, sign } from 'node:crypto';

/** PEM certificate and key for options that carry them: the least that X.509 lets pass (RFC 5280 §4.1). */
export function selfSigned(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaSha256 = node(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
  const commonName = node(0x30, Buffer.from('0603550403', 'hex'), node(0x0c, Buffer.from('test')));
  const name = node(0x30, node(0x31, commonName));
  const validity = node(0x30, node(0x17, Buffer.from('250101000000Z')), node(0x17, Buffer.from('491231235959Z')));
  const serial = node(0x02, Buffer.from([1]));
  const body = node(0x30, serial, ecdsaSha256, name, validity, name, publicKey.export({ type: 'spki', format: 'der' }));
  const signature = node(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const base64 = node(0x30, body, ecdsaSha256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function node(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
