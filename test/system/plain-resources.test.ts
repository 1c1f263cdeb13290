/** The plain resources that have been there from the beginning; what only one of them does is in tests of its own. */
import { PLAIN } from '@postern/resources';
import { expect } from 'vitest';
import { describeResource } from '../support/resource.ts';

const TEXTS = { description: 'acme', metadata: '{"environment": "staging"}' };

describeResource({
  definition: PLAIN.credentials,
  create: () => ({ ...TEXTS, acl: ['bind:*.example.com'] }),
  update: { description: 'other', acl: [] },
  shown: () => ({ ...TEXTS, acl: ['bind:*.example.com'], token: expect.any(String), owner_id: expect.any(String) }),
  once: ['token'],
});

describeResource({
  definition: PLAIN.tunnelGroupBackends,
  create: (index) => ({ ...TEXTS, labels: { app: `web${index}` } }),
  update: { metadata: '', labels: { app: 'other' } },
  shown: () => ({ ...TEXTS, labels: { app: 'web0' }, tunnels: [] }),
});

describeResource({
  definition: PLAIN.reservedDomains,
  create: (index) => ({ ...TEXTS, domain: `d${index}.example.org` }),
  update: { description: 'other' },
  shown: () => ({
    ...TEXTS,
    domain: 'd0.example.org',
    region: '',
    is_dev: false,
    cname_target: expect.any(String),
    certificate: null,
    certificate_management_policy: null,
    certificate_management_status: null,
    acme_challenge_cname_target: null,
    error_redirect_url: null,
    http_endpoint_configuration: null,
    https_endpoint_configuration: null,
  }),
});
