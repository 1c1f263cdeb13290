import { integer, objects, ref, text, texts, time } from './model/field.ts';
import { CREATED_AT, ID, URI } from './model/common.ts';
import { resource } from './model/resource.ts';

/** What this server keeps certified; of no other server, so that there is no older client of it. */
export const managedCertificates = resource({
  name: 'managed_certificates',
  title: 'managed certificate',
  doc: 'Names that this server orders certificates for, how far that is, and what to do next. Its own names are those of the first account.',
  path: '/managed_certificates',
  listKey: 'managed_certificates',
  idPrefixes: ['mcert'],
  verbs: ['list', 'get'],
  actions: [
    { name: 'renew', doc: 'Orders a new one now; within the limits of the authority.' },
    { name: 'check', doc: 'Finds out whether an order would succeed, without one.', answers: true },
  ],
  filter: {},
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    names: texts('The names, in one certificate.'),
    reserved_domain: ref('Whose names they are; null = of a base domain.', { out: 'null', to: '/reserved_domains' }),
    status: text(
      'active = served and nothing to do; pending = an order is under way; failing = it is tried again later.',
    ),
    certificate: ref('What is served; null = none yet.', { out: 'null', to: '/tls_certificates' }),
    issuer: text('Common name of who signed that.', { out: 'null' }),
    not_after: time('Until when it is valid.', { out: 'null' }),
    private_key_type: text('ecdsa or rsa.'),
    authority: text('Host of the authority that issued it.', { out: 'null' }),
    challenge: text('How control of the names was shown, and why so.', { out: 'null' }),
    renews_at: time('When the next one is ordered.', { out: 'null' }),
    attempts: integer('Tries that failed since the last that did not.'),
    error_code: text('What kind of thing is wrong: DNS_ERROR, RATE_LIMITED, CA_ERROR and others.', { out: 'null' }),
    msg: text('The one thing to do next, or that there is none.'),
    retries_at: time('When it is tried again.', { out: 'null' }),
    checks: objects('What `check` found, name by name; null in other answers.', {
      out: 'null',
      filter: false,
      of: {
        name: text('The name.'),
        challenge: text('How control of it would be shown; null = it would not be.', { out: 'null' }),
        msg: text('Why so, or what to do.'),
      },
    }),
  },
});
