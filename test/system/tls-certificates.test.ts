import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { describeResource } from '../support/resource.ts';

const TEXTS = { description: 'of the shop', metadata: 'env=staging' };
const { cert, key } = await selfSigned('shop.example.com');
const other = await selfSigned('other.example.com');
const PAIR = { certificate_pem: cert.toString(), private_key_pem: key.toString() };

describeResource(
  {
    definition: PLAIN.tlsCertificates,
    create: () => ({ ...TEXTS, ...PAIR }),
    update: { description: 'of nobody' },
    shown: () => ({
      ...TEXTS,
      certificate_pem: cert.toString(),
      subject_common_name: 'shop.example.com',
      subject_alternative_names: { dns_names: ['shop.example.com'], ips: [] },
      issued_at: null,
      not_before: expect.any(String),
      not_after: expect.any(String),
      key_usages: [],
      extended_key_usages: [],
      private_key_type: 'ecdsa',
      issuer_common_name: 'shop.example.com',
      serial_number: '01',
      subject_organization: '',
      subject_organizational_unit: '',
      subject_locality: '',
      subject_province: '',
      subject_country: '',
    }),
  },
  (platform) => {
    const make = (body: object) => platform().api('POST', '/tls_certificates', { ...PAIR, ...body });
    const number = (code: number) => ({ status: 400, body: { error_code: `ERR_NGROK_${code}` } });

    test('what no handshake could use is refused, and why', async () => {
      expect(await make({ certificate_pem: 'hello' })).toMatchObject(number(1902));
      expect(await make({ private_key_pem: 'hello' })).toMatchObject(number(1903));
      expect(await make({ private_key_pem: other.key.toString() })).toMatchObject(number(1904));
      expect(await make({ certificate_pem: `${cert.toString()}\n${other.cert.toString()}` })).toMatchObject(
        number(1905),
      );
      for (const both of [`${cert.toString()}${key.toString()}`, `${key.toString()}${cert.toString()}`]) {
        const answer = await make({ certificate_pem: both });
        expect(answer).toMatchObject(number(1902));
        expect(answer.body.msg).toContain('private key');
      }
      const there = (await make({})).body;
      const change = await platform().api('PATCH', `/tls_certificates/${there.id}`, PAIR);
      expect(change).toMatchObject(number(214));
      expect(JSON.stringify(there)).not.toContain('PRIVATE KEY');
    });
  },
);
