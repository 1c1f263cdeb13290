/** What policies name (secrets, IP policies) is what the API says, at the latest when its call has answered. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import https from 'node:https';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { Platform } from '../support/platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform?.dispose());

const make = async (path: string, body: object): Promise<Record<string, string>> => {
  const answer = await platform.api('POST', path, body);
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Record<string, string>;
};
const endpoint = (url: string, ...actions: object[]): Promise<Record<string, string>> =>
  make('/endpoints', { url, traffic_policy: JSON.stringify({ on_http_request: [{ actions }] }) });
const says = (body: string): object => ({ type: 'custom-response', config: { body } });
const bearing = (password: string) => ({
  headers: { authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` },
});

describe('secrets', () => {
  test('that are changed hold from the next request on', async () => {
    const url = 'https://rotated.example.com';
    const vault = await make('/vaults', { name: 'site' });
    const secret = await make('/vault_secrets', { name: 'password', value: 'old-password', vault_id: vault['id'] });
    const credentials = ['user:${secrets.get("site", "password")}'];
    await endpoint(url, { type: 'basic-auth', config: { credentials } }, says('in'));
    const lets = async (password: string): Promise<number> => (await platform.visit(url, bearing(password))).status;
    expect([await lets('old-password'), await lets('new-password')]).toEqual([200, 401]);
    for (let round = 0; round < 5; round++) {
      const value = `new-password-${round}`;
      await platform.api('PATCH', `/vault_secrets/${secret['id']}`, { value });
      expect([await lets(value), await lets('old-password')]).toEqual([200, 401]);
    }
    await platform.api('PATCH', `/vaults/${vault['id']}`, { name: 'elsewhere' });
    expect(await lets('new-password-4')).toBe(401);
    await platform.api('PATCH', `/vaults/${vault['id']}`, { name: 'site' });
    expect(await lets('new-password-4')).toBe(200);
    await platform.api('DELETE', `/vault_secrets/${secret['id']}`);
    expect(await lets('new-password-4')).toBe(401);
    expect(platform.output).not.toContain('-password');
  });

  test('that are not there end the request, and are there after a restart', async () => {
    const url = 'https://told.example.com';
    await endpoint(url, says('${secrets.get("late", "word")}'));
    const none = await platform.visit(url);
    expect([none.status, none.headers['ngrok-error-code']]).toEqual([500, 'ERR_NGROK_2238']);
    const vault = await make('/vaults', { name: 'late' });
    await make('/vault_secrets', { name: 'word', value: 'sesame', vault_id: vault['id'] });
    expect((await platform.visit(url)).text).toBe('sesame');
    platform = await platform.restart('SIGTERM');
    expect((await platform.visit(url)).text).toBe('sesame');
  });
});

describe('IP policies', () => {
  const restricting = (...ids: string[]): object => ({ type: 'restrict-ips', config: { ip_policies: ids } });

  test('let in and keep out, as their rules say now', async () => {
    const policy = await make('/ip_policies', {});
    const ip_policy_id = policy['id'];
    const url = 'https://restricted.example.com';
    await endpoint(url, restricting(ip_policy_id ?? ''), says('in'));
    const status = async (): Promise<number> => (await platform.visit(url)).status;
    expect(await status()).toBe(403);
    const rule = await make('/ip_policy_rules', { ip_policy_id, cidr: '127.0.0.0/8', action: 'allow' });
    expect(await status()).toBe(200);
    const deny = await make('/ip_policy_rules', { ip_policy_id, cidr: '127.0.0.1/32', action: 'deny' });
    expect(await status()).toBe(403);
    expect((await platform.api('DELETE', `/ip_policy_rules/${deny['id']}`)).status).toBe(204);
    expect(await status()).toBe(200);
    expect((await platform.api('DELETE', `/ip_policy_rules/${rule['id']}`)).status).toBe(204);
    expect((await platform.visit(url)).headers['ngrok-error-code']).toBe('ERR_NGROK_3203');
  });

  test('have to be there when a policy names them', async () => {
    const unknown = `ipp_${'0'.repeat(27)}`;
    const traffic_policy = JSON.stringify({ on_http_request: [{ actions: [restricting(unknown), says('in')] }] });
    const refused = await platform.api('POST', '/endpoints', { url: 'https://none.example.com', traffic_policy });
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'ERR_NGROK_18002' } });
    expect(refused.text).toMatch(/ip_policies\[0\].*does not exist.*ERR_NGROK_2216/);
    const agent = agentOf(platform);
    const bound = agent.listen({
      upstream: 'http://127.0.0.1:1',
      url: 'https://none.example.com',
      trafficPolicy: traffic_policy,
    });
    await expect(bound).rejects.toMatchObject({ message: expect.stringMatching(/ip_policies\[0\].*ERR_NGROK_2216/s) });
    await agent.close(0);
  });
});

describe('certificate authorities', () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const validity = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };

  /** An authority, and a visitor whose certificate it has signed. */
  async function authority(name: string): Promise<{ readonly pem: string; readonly visitor: https.Agent }> {
    x509.cryptoProvider.set(webcrypto);
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const ca = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity,
      serialNumber: '01',
      name: `CN=${name}`,
      signingAlgorithm: algorithm,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const leaf = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: '02',
      subject: 'CN=visitor',
      issuer: ca.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
    const pem = `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`;
    return { pem: ca.toString('pem'), visitor: new https.Agent({ cert: leaf.toString('pem'), key: pem }) };
  }

  test('say whose visitors come in, and let in nobody when they have been deleted', async () => {
    const [ours, others] = await Promise.all([authority('Ours'), authority('Others')]);
    const { id = '' } = await make('/certificate_authorities', { ca_pem: ours.pem });
    const url = 'https://mutual.example.com';
    const terminate = { type: 'terminate-tls', config: { mutual_tls_certificate_authorities: [id] } };
    const traffic_policy = JSON.stringify({
      on_tcp_connect: [{ actions: [terminate] }],
      on_http_request: [{ actions: [says('hello ${conn.tls.client.subject.common_name}')] }],
    });
    await make('/endpoints', { url, traffic_policy });
    const visit = (agent?: https.Agent): Promise<string> =>
      platform.visit(url, agent === undefined ? {} : { agent }).then(
        ({ text }) => text,
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      );
    expect(await visit(ours.visitor)).toBe('hello visitor');
    expect(await visit(others.visitor)).toMatch(/ALERT|ECONNRESET|EPROTO/);
    expect(await visit()).toMatch(/ALERT|ECONNRESET|EPROTO/);
    expect((await platform.api('DELETE', `/certificate_authorities/${id}`)).status).toBe(204);
    expect(await visit(ours.visitor)).toMatch(/ALERT|ECONNRESET|EPROTO/);
  });
});
