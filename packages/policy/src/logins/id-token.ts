/** An identity token (OpenID Connect Core §3.1.3.7), checked like any other signed token, and as this log-in's. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, type PosternError } from '@postern/errors';
import { notForHere, notNow } from '../actions/jwt-validation/claims.ts';
import { ALGORITHMS, type Algorithm } from '../actions/jwt-validation/schema.ts';
import { readToken, type Members, type Token } from '../actions/jwt-validation/token.ts';
import { verifyToken } from '../actions/jwt-validation/verify.ts';
import { Failure } from '../cel/value.ts';
import type { Template } from '../interpolation/template.ts';
import { noUse } from './ask.ts';
import type { Places, Visit } from './plan.ts';

/** The shared secret of an app signs as well, where the app has one (§10.1); nothing else takes such tokens. */
const BY_SECRET = 'HS256';
const ALLOWED: ReadonlySet<Algorithm | typeof BY_SECRET> = new Set([...ALGORITHMS, BY_SECRET]);
/** RFC 7518 §3.2: a shorter secret could be guessed by whoever has seen a token. */
const LEAST_SECRET = 32;

/** @returns its claims; 3160, 90064 */
export async function readIdToken(
  visit: Visit,
  { issuer, keysUrl }: Places,
  text: string,
  nonce: string,
): Promise<Members | PosternError> {
  if (text === '') return noUse(visit, 'has no identity token');
  const token = readToken(text, ALLOWED);
  if (typeof token === 'string') return noUse(visit, `has an identity token that ${token}`);
  const { payload } = token;
  const wrong = notNow(token, 'id_token', visit.context.now()) ?? notForHere(payload, [issuer], [visit.client.id]);
  if (wrong !== null) return noUse(visit, `has an identity token that ${wrong}`);
  const { aud, azp } = payload;
  const elsewhere = azp === undefined ? Array.isArray(aud) && aud.length > 1 : azp !== visit.client.id;
  if (elsewhere) return noUse(visit, 'has an identity token that is for another app');
  if (payload['nonce'] !== nonce) return noUse(visit, 'has an identity token of another log-in');
  const { algorithm } = token;
  if (algorithm === BY_SECRET) {
    return isSignedBy(token, visit.client.secret)
      ? payload
      : noUse(visit, "has an identity token that the app's secret has not signed, or that is too short for it");
  }
  const verdict = await verifyToken(
    { ...token, algorithm },
    [constant(keysUrl)],
    `${visit.plan.path} (keys)`,
    visit.scope,
  );
  if (verdict === 'right') return payload;
  if (verdict === 'no-set' || verdict === 'gone') return fail(3160);
  if (verdict instanceof Failure) return noUse(visit, 'takes too much to check');
  return noUse(visit, 'has an identity token that its keys have not signed');
}

function isSignedBy({ signed, signature }: Token<string>, secret: string): boolean {
  const key = Buffer.from(secret, 'utf8');
  const wanted = createHmac('sha256', key).update(signed).digest();
  return key.length >= LEAST_SECRET && signature.length === wanted.length && timingSafeEqual(signature, wanted);
}

function constant(text: string): Template {
  const same = (): string => text;
  return { text, render: same, value: same, require: same };
}
