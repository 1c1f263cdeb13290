import { describe, expect, it } from 'vitest';
import { validatePolicy } from './compile.ts';
import { selfSigned } from './testing/certificate.ts';
import { AGENT } from './testing/run.ts';

const certificate = selfSigned('authority').cert;

describe('what a policy refers to', () => {
  it('is told with the place of each', () => {
    const text = JSON.stringify({
      on_tcp_connect: [
        { actions: [{ type: 'restrict-ips', config: { ip_policies: ['ipp_1', 'ipp_2'] } }] },
        {
          actions: [
            { type: 'terminate-tls', config: { mutual_tls_certificate_authorities: [certificate, 'ca_1'] } },
            { type: 'restrict-ips', config: { allow: ['10.0.0.0/8'] } },
          ],
        },
      ],
      on_http_response: [{ actions: [{ type: 'restrict-ips', config: { ip_policies: 'ipp_1' } }] }],
    });
    const first = 'on_tcp_connect[0].actions[0].config.ip_policies';
    const expected = [
      { kind: 'ip-policy', id: 'ipp_1', path: `${first}[0]` },
      { kind: 'ip-policy', id: 'ipp_2', path: `${first}[1]` },
      {
        kind: 'certificate-authority',
        id: 'ca_1',
        path: 'on_tcp_connect[1].actions[0].config.mutual_tls_certificate_authorities[1]',
      },
      { kind: 'ip-policy', id: 'ipp_1', path: 'on_http_response[0].actions[0].config.ip_policies[0]' },
    ];
    expect(validatePolicy(text, AGENT)).toEqual(expected);
    // From the cache.
    expect(validatePolicy(text, AGENT)).toEqual(expected);
    expect(validatePolicy({ on_http_request: [{ actions: [{ type: 'deny' }] }] }, AGENT)).toEqual([]);
  });
});
