import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { describeResource } from '../support/resource.ts';

const TEXTS = { description: 'of the staff', metadata: 'env=staging' };
const FROM = '2026-05-01T16:27:59Z';
const UNTIL = '2051-05-01T16:27:59Z';

async function authority(extensions: readonly x509.Extension[] = []): Promise<string> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'O=Example, CN=Staff Authority',
    notBefore: new Date(FROM),
    notAfter: new Date(UNTIL),
    signingAlgorithm: algorithm,
    keys: await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true), ...extensions],
  });
  return `${certificate.toString('pem')}\n`;
}

const { cRLSign, decipherOnly, keyCertSign } = x509.KeyUsageFlags;
const PEM = await authority([
  new x509.KeyUsagesExtension(cRLSign | keyCertSign, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, '1.2.3.4']),
]);

describeResource(
  {
    definition: PLAIN.certificateAuthorities,
    create: () => ({ ...TEXTS, ca_pem: PEM }),
    update: { description: 'of nobody' },
    shown: () => ({
      ...TEXTS,
      ca_pem: PEM,
      subject_common_name: 'Staff Authority',
      not_before: FROM,
      not_after: UNTIL,
      key_usages: ['keyCertSign', 'cRLSign'],
      extended_key_usages: ['clientAuth', '1.2.3.4'],
    }),
  },
  (platform) => {
    const make = (ca_pem: string) => platform().api('POST', '/certificate_authorities', { ca_pem });
    const number = (code: number) => ({ status: 400, body: { error_code: `ERR_NGROK_${code}` } });

    test('usages that a certificate does not name are none', async () => {
      expect((await make(await authority())).body).toMatchObject({ key_usages: [], extended_key_usages: [] });
      const last = await authority([new x509.KeyUsagesExtension(keyCertSign | decipherOnly)]);
      expect((await make(last)).body).toMatchObject({ key_usages: ['keyCertSign', 'decipherOnly'] });
    });

    test('one certificate is taken, of an authority, and nothing else', async () => {
      const { cert, key } = await selfSigned('leaf.example.com');
      expect(await make('hello')).toMatchObject(number(1920));
      expect(await make('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toMatchObject(number(1920));
      expect(await make(key.toString())).toMatchObject(number(1911));
      expect(await make(PEM + key.toString())).toMatchObject(number(1911));
      expect(await make(PEM + PEM)).toMatchObject(number(1912));
      expect(await make(cert.toString())).toMatchObject(number(1913));
      const there = (await platform().api('GET', '/certificate_authorities')).body.certificate_authorities[0];
      const change = await platform().api('PATCH', `/certificate_authorities/${there.id}`, { ca_pem: PEM });
      expect(change).toMatchObject(number(214));
    });
  },
);
