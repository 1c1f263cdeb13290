import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../testing/certificate.ts';
import { refusal, rule, run } from '../../testing/run.ts';

const T = 'on_tcp_connect';
const ours = selfSigned('app.example.com');
const other = selfSigned('other.example.com');
const wanted = async (config?: object) => {
  const action = { type: 'terminate-tls', ...(config === undefined ? {} : { config }) };
  const { outcome, context } = await run(T, [{ actions: [action] }], { tls: { sni: 'app.example.com' } });
  expect(outcome).toEqual({ kind: 'continue' });
  return context.tlsTermination;
};

const problem = (config: object): string =>
  refusal(rule(T, { type: 'terminate-tls', config }), { protocol: 'tls', binding: 'public', kind: 'agent' });

describe('terminate-tls', () => {
  it('ends TLS with our certificate by default', async () => {
    expect(await wanted()).toEqual({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      cert: null,
      key: null,
      clientCas: [],
      clientCertificates: 'none',
    });
  });

  it('takes versions (also as numbers of YAML), a certificate and client authorities', async () => {
    const config = {
      min_version: 1.3,
      server_certificate: ours.cert,
      server_private_key: ours.key,
      mutual_tls_certificate_authorities: other.cert,
    };
    expect(await wanted(config)).toEqual({
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      cert: ours.cert,
      key: ours.key,
      clientCas: [other.cert],
      clientCertificates: 'require-and-verify',
    });
    expect(await wanted({ mutual_tls_verification_strategy: 'request' })).toMatchObject({
      clientCertificates: 'request',
    });
  });

  it('fills in what only the connection knows', async () => {
    const config = {
      server_certificate: '${conn.tls.sni == "app.example.com" ? "CERT" : ""}',
      server_private_key: 'KEY ${1}',
    };
    expect(await wanted(config)).toMatchObject({ cert: 'CERT', key: 'KEY 1' });
  });

  it('takes authorities that the account has, as they are when a connection comes', async () => {
    const certificateAuthority = (account: string, id: string): string | null =>
      account === 'ac_1' && id === 'ca_1' ? 'PEM' : null;
    const services = { resources: { secret: () => null, ipPolicy: () => null, certificateAuthority } };
    const asks = async (...authorities: string[]) => {
      const config = { mutual_tls_certificate_authorities: authorities };
      return run(T, [{ actions: [{ type: 'terminate-tls', config }] }], { tls: {}, services });
    };
    const { context } = await asks('ca_1', other.cert);
    expect(context.tlsTermination).toMatchObject({
      clientCas: ['PEM', other.cert],
      clientCertificates: 'require-and-verify',
    });
    const gone = await asks('ca_2');
    expect([gone.outcome, gone.context.tlsTermination]).toMatchObject([
      { kind: 'error', error: { number: 2238 } },
      null,
    ]);
  });

  it('says what is wrong with its config, and never shows a key', () => {
    expect(problem({ min_version: '1.1' })).toMatch(/^2222 .*config\.min_version: "1\.1" is not one of 1\.2, 1\.3/);
    expect(problem({ min_version: '1.3', max_version: '1.2' })).toMatch(/^2204 .*config\.min_version: /);
    expect(problem({ server_certificate: ours.cert })).toMatch(
      /^2240 .*"server_certificate" needs "server_private_key"/,
    );
    expect(problem({ server_private_key: ours.key })).toMatch(/^2240 /);
    expect(problem({ server_certificate: 'x', server_private_key: ours.key })).toMatch(
      /^2204 .*config\.server_certificate: /,
    );
    const stranger = problem({ server_certificate: ours.cert, server_private_key: other.key });
    expect(stranger).toMatch(/^2204 .*config\.server_private_key: it is not the key/);
    expect(stranger).not.toContain('PRIVATE KEY');
    expect(problem({ server_certificate: ours.cert, server_private_key: 'nonsense' })).toMatch(
      /^2204 .*server_private_key: a private key/,
    );
    expect(problem({ mutual_tls_certificate_authorities: ['ca_123', 'ca_'] })).toMatch(/^2204 .*authorities\[1\]: /);
    expect(problem({ mutual_tls_verification_strategy: 'require-and-verify' })).toMatch(/^2240 /);
  });
});
