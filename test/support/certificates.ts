import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** What makes a handshake dear for the server, and for nobody else. */
export const DEAR_KEY = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 4_096,
};

/** A certificate for one name that is its own issuer and no authority, as users of agents have them. */
export async function selfSigned(
  domain: string,
  days = 1,
  signingAlgorithm: typeof algorithm | typeof DEAR_KEY = algorithm,
): Promise<{ cert: Buffer; key: Buffer }> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${domain}`,
    notBefore: new Date(Date.now() - 10 * 86_400_000),
    notAfter: new Date(Date.now() + days * 86_400_000),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: domain }]),
    ],
  });
  return { cert: Buffer.from(certificate.toString('pem')), key: await pemOf(keys.privateKey) };
}

/** An authority, and a visitor's certificate and key that it has signed. */
export async function clientCertificates(): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }> {
  x509.cryptoProvider.set(webcrypto);
  const [ours, theirs] = await Promise.all(
    [1, 2].map(() => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])),
  );
  if (ours === undefined || theirs === undefined) throw new Error('no keys');
  const dates = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };
  const common = { ...dates, signingAlgorithm: algorithm };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    serialNumber: '01',
    name: 'CN=authority of visitors',
    keys: ours,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const cert = await x509.X509CertificateGenerator.create({
    ...common,
    serialNumber: '02',
    subject: 'CN=visitor',
    issuer: ca.subject,
    publicKey: theirs.publicKey,
    signingKey: ours.privateKey,
  });
  const [caPem, certPem] = [ca, cert].map((one) => Buffer.from(one.toString('pem')));
  return { ca: caPem ?? Buffer.alloc(0), cert: certPem ?? Buffer.alloc(0), key: await pemOf(theirs.privateKey) };
}

async function pemOf(privateKey: webcrypto.CryptoKey): Promise<Buffer> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const lines = (pkcs8.match(/.{1,64}/g) ?? []).join('\n');
  return Buffer.from(`-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`);
}
