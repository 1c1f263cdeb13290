/** Tokens as issuers make them, and what comes of presenting one, for tests. */
import { constants, createHash, createHmac, generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto';
import type { Outcome } from '../../runtime.ts';
import type { Keys, KeysProblem, PublishedKey } from '../../services.ts';
import { NOW, type Facts } from '../../testing/context.ts';
import { CLOUD, run } from '../../testing/run.ts';
import { ALGORITHMS, type Algorithm } from './schema.ts';

export type Pair = KeyPairKeyObjectResult;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });

/** One pair for each algorithm; those of RSA share one. */
export const PAIRS: Readonly<Record<Algorithm, Pair>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
};

export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const CLAIMS = {
  iss: 'https://issuer.test/',
  aud: 'https://app.test',
  sub: 'ada',
  exp: NOW / 1000 + 300,
  iat: NOW / 1000 - 10,
};

/** What is signed, by the algorithm alone. */
export function signatureOf(signed: string, algorithm: Algorithm, { privateKey }: Pair): Buffer {
  const data = Buffer.from(signed);
  if (algorithm === 'EdDSA') return sign(null, data, privateKey);
  const hash = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith('ES')) return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  if (algorithm.startsWith('RS')) return sign(hash, data, privateKey);
  const saltLength = createHash(hash).digest().length;
  return sign(hash, data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

export interface Signing {
  readonly algorithm?: Algorithm;
  readonly pair?: Pair;
  readonly header?: object;
  readonly claims?: object;
  /** In place of the claims' JSON. */
  readonly payload?: string;
}

export function tokenOf({
  algorithm = 'ES256',
  pair = PAIRS[algorithm],
  header,
  claims,
  payload,
}: Signing = {}): string {
  const head = encoded({ alg: algorithm, kid: algorithm, ...header });
  const signed = `${head}.${payload ?? encoded({ ...CLAIMS, ...claims })}`;
  return `${signed}.${signatureOf(signed, algorithm, pair).toString('base64url')}`;
}

/** Signed with what everybody knows: the public key's own text. */
export function confused(pair: Pair, kid: string): string {
  const signed = `${encoded({ alg: 'HS256', kid })}.${encoded(CLAIMS)}`;
  const secret = pair.publicKey.export({ type: 'spki', format: 'pem' });
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const R = 'on_http_request';
export const URL_1 = 'https://issuer.test/jwks.json';
export const URL_2 = 'https://other.test/jwks.json';
export const OK = { actions: [{ type: 'custom-response', config: { status_code: 204 } }] };
export const BEARER = { type: 'jwt', method: 'header', name: 'Authorization', prefix: 'Bearer ' };
export const published = (kid: string, pair: Pair, alg = ''): PublishedKey => ({ kid, alg, key: pair.publicKey });
export const ALL = ALGORITHMS.map((name) => published(name, PAIRS[name]));

export interface Given {
  readonly config?: object;
  readonly tokens?: readonly object[];
  readonly urls?: readonly string[];
  readonly algorithms?: readonly string[];
  /** By address. */
  readonly sets?: Readonly<Record<string, readonly PublishedKey[] | KeysProblem>>;
  readonly rules?: readonly object[];
  readonly facts?: Facts;
}

export function action({ tokens = [BEARER], urls = [URL_1], algorithms = ALGORITHMS, config = {} }: Given): object {
  return {
    type: 'jwt-validation',
    config: {
      issuer: { allow_list: [{ value: CLAIMS.iss }] },
      audience: { allow_list: [{ value: CLAIMS.aud }, { value: 'https://second.test' }] },
      http: { tokens },
      jws: { allowed_algorithms: algorithms, keys: { sources: { additional_jkus: urls } } },
      ...config,
    },
  };
}

/** What keys were asked for by the last call of `present`. */
export const asked: string[] = [];
function keysOf(sets: Given['sets'] = { [URL_1]: ALL }): Keys {
  return {
    at(url, kid, endpointId) {
      asked.push(`${url} ${kid} ${endpointId}`);
      const set = sets[url] ?? { problem: 'it answered 404' };
      return 'problem' in set ? Promise.resolve(set) : set;
    },
  };
}

export async function present(token: string | null, given: Given = {}) {
  asked.length = 0;
  const headers = token === null ? [] : ([['authorization', `Bearer ${token}`]] as const);
  return run(
    R,
    [{ actions: [action(given)] }, ...(given.rules ?? [OK])],
    { headers, services: { keys: keysOf(given.sets) }, ...given.facts },
    CLOUD,
  );
}

export const short = (outcome: Outcome): string =>
  outcome.kind === 'error'
    ? `${outcome.error.status} ${outcome.error.number}`
    : outcome.kind === 'respond'
      ? String(outcome.status)
      : outcome.kind;

export const says = async (token: string | null, given: Given = {}): Promise<string> =>
  short((await present(token, given)).outcome);
