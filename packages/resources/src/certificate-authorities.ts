import { text, texts, time } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** One certificate, and what people write around it. */
const PEM_BYTES = 65_536;

/** Who signs certificates of clients. */
export const certificateAuthorities = plain({
  name: 'certificate_authorities',
  title: 'certificate authority',
  doc: 'The certificate of an authority that signs certificates of clients.',
  path: '/certificate_authorities',
  listKey: 'certificate_authorities',
  idPrefixes: ['ca'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {} },
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(90079),
    metadata: metadata(90079),
    ca_pem: text('The certificate in PEM, as it was given.', {
      in: 'create',
      needed: 1919,
      most: { bytes: PEM_BYTES, error: 1921 },
    }),
    subject_common_name: text('Common name of its subject.'),
    not_before: time('From when on it is valid.'),
    not_after: time('Until when it is valid.'),
    key_usages: texts('What its key may be used for, by the names of RFC 5280 §4.2.1.3.'),
    extended_key_usages: texts('For which purposes: by the names of RFC 5280 §4.2.1.12, others by their object id.'),
  },
});
