/** Visitors with signed tokens, checked by keys that an issuer on another host publishes by TLS. */
import { generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { Platform } from '../support/platform.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'postern-issuer-'));
const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
let platform: Platform;
let issuer: https.Server;
let asked = 0;

beforeAll(async () => {
  const identity = await selfSigned('localhost');
  const set = { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] };
  issuer = https.createServer(identity, (_request, response) => {
    asked++;
    response.end(JSON.stringify(set));
  });
  await new Promise<void>((resolve) => issuer.listen(0, 'localhost', resolve));
  const trusted = path.join(folder, 'issuer.pem');
  writeFileSync(trusted, identity.cert);
  platform = await Platform.start({
    args: ['--policy-outgoing-allow=127.0.0.0/8', '--policy-outgoing-allow=::1/128'],
    env: { NODE_EXTRA_CA_CERTS: trusted },
  });
});
afterAll(async () => {
  await platform?.dispose();
  issuer?.close();
  rmSync(folder, { recursive: true, force: true });
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(sub: string, { privateKey }: KeyPairKeyObjectResult = keys, claims: object = {}): string {
  const payload = { iss: 'https://issuer.test/', aud: 'app', sub, exp: Date.now() / 1000 + 600, ...claims };
  const signed = `${encoded({ alg: 'RS256', kid: 'one' })}.${encoded(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

const RESULT = 'actions.ngrok.jwt_validation.tokens[0].payload';

function policy(): string {
  const { port } = issuer.address() as AddressInfo;
  const config = {
    issuer: { allow_list: [{ value: 'https://issuer.test/' }] },
    audience: { allow_list: [{ value: 'app' }] },
    http: { tokens: [{ type: 'jwt', method: 'header', name: 'Authorization', prefix: 'Bearer ' }] },
    jws: { allowed_algorithms: ['RS256'], keys: { sources: { additional_jkus: [`https://localhost:${port}/jwks`] } } },
  };
  const limit = {
    name: 'by subject',
    algorithm: 'sliding_window',
    capacity: 2,
    rate: '60s',
    bucket_key: [`${RESULT}.sub`],
  };
  return JSON.stringify({
    on_http_request: [
      { actions: [{ type: 'jwt-validation', config }] },
      { actions: [{ type: 'rate-limit', config: limit }] },
      { actions: [{ type: 'custom-response', config: { body: `\${${RESULT}.sub}` } }] },
    ],
  });
}

describe('jwt-validation', () => {
  test('lets in who has a token, and rules behind it know who that is', async () => {
    const url = 'https://tokens.example.com';
    const made = await platform.api('POST', '/endpoints', { url, traffic_policy: policy() });
    expect(made.status, made.text).toBe(201);
    const visit = async (token: string): Promise<string> => {
      const answer = await platform.visit(url, { headers: { authorization: `Bearer ${token}` } });
      return `${answer.status} ${String(answer.headers['ngrok-error-code'] ?? answer.text)}`;
    };
    expect(await visit(tokenOf('ada'))).toBe('200 ada');
    expect(await visit(tokenOf('ada', generateKeyPairSync('rsa', { modulusLength: 2_048 })))).toBe(
      '401 ERR_NGROK_3401',
    );
    expect(await visit(tokenOf('ada', keys, { exp: Date.now() / 1000 - 61 }))).toBe('401 ERR_NGROK_3401');
    expect(await visit(tokenOf('ada', keys, { aud: 'elsewhere' }))).toBe('403 ERR_NGROK_3403');
    expect(await visit(`${encoded({ alg: 'none' })}.${encoded({ sub: 'ada' })}.`)).toBe('401 ERR_NGROK_3416');
    expect(await visit(tokenOf('ada'))).toBe('200 ada');
    expect(await visit(tokenOf('ada'))).toBe('429 ERR_NGROK_90037');
    expect(await visit(tokenOf('bob'))).toBe('200 bob');
    expect(asked).toBe(1);
  });

  test('is refused by its place when it would check nothing', async () => {
    const none = policy().replace('"RS256"', '"none"');
    const made = await platform.api('POST', '/endpoints', { url: 'https://none.example.com', traffic_policy: none });
    expect([made.status, made.text]).toEqual([400, expect.stringContaining('jws.allowed_algorithms[0]')]);
  });
});
