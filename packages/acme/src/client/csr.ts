/** Keys, what asks for a certificate of one (RFC 2986), and the certificate that a TLS-ALPN-01 handshake shows. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import type { TlsIdentity } from '@postern/link';

export type KeyType = 'ecdsa' | 'rsa';

/** id-pe-acmeIdentifier (RFC 8737 §3) */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const DAY = 86_400_000;

/** A private key as PKCS #8 in PEM: ECDSA with P-256, or RSA with 2,048 bits. */
export function newKey(type: KeyType): string {
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  return type === 'ecdsa'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding, publicKeyEncoding }).privateKey
    : generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding }).privateKey;
}

/** @param pem the key. @returns DER */
export async function signingRequest(names: readonly string[], pem: string): Promise<Uint8Array> {
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await library();
  const { keys, algorithm } = await keysOf(pem);
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  });
  return new Uint8Array(request.rawData);
}

/** What an authority is shown that asks by TLS whether the name leads here. */
export async function challengeIdentity(name: string, authorization: string, now: number): Promise<TlsIdentity> {
  const { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } = await library();
  const key = newKey('ecdsa');
  const { keys, algorithm } = await keysOf(key);
  const digest = createHash('sha256').update(authorization).digest();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=ACME challenge',
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + DAY),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new Extension(ACME_IDENTIFIER, true, new Uint8Array([4, digest.length, ...digest])),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key };
}

/** Loaded when the first certificate is asked for: it takes an eighth of a second. */
async function library() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

async function keysOf(pem: string) {
  const privateKey = createPrivateKey(pem);
  const algorithm =
    privateKey.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const [pkcs8, spki] = [
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  ];
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
  return { keys, algorithm };
}
