import { object, text, texts, time } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** A chain of some certificates, and what people write around them. */
const PEM_BYTES = 65_536;

/** What this server shows in handshakes. */
export const tlsCertificates = plain({
  name: 'tls_certificates',
  title: 'TLS certificate',
  doc: 'A certificate with its private key: uploaded, or issued to this server. A reserved domain names it to be served.',
  path: '/tls_certificates',
  listKey: 'tls_certificates',
  idPrefixes: ['cert'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {} },
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(90079),
    metadata: metadata(90079),
    certificate_pem: text('The chain in PEM, as it was given: the certificate of the server first.', {
      in: 'create',
      needed: 1900,
      most: { bytes: PEM_BYTES, error: 1906 },
    }),
    private_key_pem: text('Its key in PEM, not encrypted; no answer shows it.', {
      in: 'create',
      out: 'never',
      row: 'sealed',
      needed: 1901,
      most: { bytes: PEM_BYTES, error: 1906 },
    }),
    subject_common_name: text('Common name of its subject.'),
    subject_alternative_names: object('The names that it is for.', {
      of: { dns_names: texts('Host names.'), ips: texts('IP addresses.') },
    }),
    issued_at: time('When it was issued to this server; null for one that was uploaded.', { out: 'null' }),
    not_before: time('From when on it is valid.'),
    not_after: time('Until when it is valid.'),
    key_usages: texts('What its key may be used for, by the names of RFC 5280 §4.2.1.3.'),
    extended_key_usages: texts('For which purposes: by the names of RFC 5280 §4.2.1.12, others by their object id.'),
    private_key_type: text('rsa, ecdsa or ed25519.'),
    issuer_common_name: text('Common name of who signed it.'),
    serial_number: text('Its serial number, hexadecimal.'),
    subject_organization: text('Organisation of its subject.'),
    subject_organizational_unit: text('Unit of that.'),
    subject_locality: text('Town of its subject.'),
    subject_province: text('Province of its subject.'),
    subject_country: text('Country of its subject.'),
  },
});
