import { flag, id, object, ref, text, time, unserved } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

const FROM_POLICY = 'a traffic policy at the endpoint says it';

/** Names that an account holds. */
export const reservedDomains = plain({
  name: 'reserved_domains',
  title: 'reserved domain',
  doc: 'A name, or a wildcard, that only its account may use in URLs.',
  path: '/reserved_domains',
  listKey: 'reserved_domains',
  idPrefixes: ['rd'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: {
    // `authority` 'none' = its policy was deleted; '' = the server's default.
    beside: { automatic: 'boolean', authority: 'text', privateKeyType: 'text' },
    unique: [{ fields: ['domain'] }],
  },
  emptyUpdate: 422,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(420),
    metadata: metadata(421),
    domain: text('The name, in lower case.', { in: 'create' }),
    name: text('The older spelling of `domain`.', { in: 'create', out: 'never', row: 'none' }),
    region: text('Kept for older clients, as they wrote it: every region is this server.', { in: 'both' }),
    cname_target: text('What a name of your own is pointed at by a CNAME record.', { out: 'null', row: 'none' }),
    certificate: ref('The certificate that is served for it, where it has one of its own.', {
      out: 'null',
      to: '/tls_certificates',
      row: 'none',
    }),
    certificate_id: id('An uploaded certificate to serve; an empty one for none.', { in: 'both', out: 'never' }),
    certificate_management_policy: object('How a certificate is kept for it; null where the server’s own covers it.', {
      in: 'both',
      out: 'null',
      row: 'none',
      of: {
        authority: text('letsencrypt, which means the authority that the server orders from.', { in: 'both' }),
        private_key_type: text('ecdsa (the default) or rsa.', { in: 'both' }),
      },
    }),
    certificate_management_status: object('How far that is.', {
      out: 'null',
      row: 'none',
      of: {
        renews_at: time('When the next one is ordered.', { out: 'null' }),
        provisioning_job: object('What is under way, or keeps being tried; null = nothing.', {
          out: 'null',
          of: {
            error_code: text('What kind of thing is wrong: DNS_ERROR, INTERNAL_ERROR and others.', { out: 'null' }),
            msg: text('The one thing to do next.'),
            started_at: time('Since when it is tried.'),
            retries_at: time('When it is tried again.', { out: 'null' }),
          },
        }),
      },
    }),
    acme_challenge_cname_target: text('Where a wildcard of your own points the CNAME of _acme-challenge below it.', {
      out: 'null',
      row: 'none',
    }),
    resolves_to: unserved('Addresses that the name resolves to.', {
      in: 'both',
      out: 'never',
      because: 'every name resolves to this server',
    }),
    error_redirect_url: unserved('Legacy.'),
    http_endpoint_configuration_id: unserved('Legacy.', { in: 'both', out: 'never', because: FROM_POLICY }),
    https_endpoint_configuration_id: unserved('Legacy.', { in: 'both', out: 'never', because: FROM_POLICY }),
    http_endpoint_configuration: unserved('Legacy.'),
    https_endpoint_configuration: unserved('Legacy.'),
    is_dev: flag('Legacy.', { computed: true }),
  },
});
