import { flag, ref, text, unserved } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

const FROM_POLICY = 'a traffic policy at the endpoint says it';
const FROM_SERVER = 'certificates come from the server: its local CA, or the files that it was given';

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
  rows: { beside: { automatic: 'boolean' }, unique: [{ fields: ['domain'] }] },
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
    certificate: ref('Its own certificate.', { out: 'null', to: '/tls_certificates', computed: true }),
    certificate_id: unserved('A certificate to serve.', { in: 'both', out: 'never', because: FROM_SERVER }),
    certificate_management_policy: unserved('How a certificate is to be had.', { in: 'both', because: FROM_SERVER }),
    certificate_management_status: unserved('How far that is.'),
    acme_challenge_cname_target: unserved('Where a CNAME record of the ACME challenge leads.'),
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
