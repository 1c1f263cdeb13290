/** The token endpoint (RFC 6749 §3.2, §5): a code, or a refresh token, becomes tokens. */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import type { Members } from '../actions/jwt-validation/token.ts';
import { ask, noUse } from './ask.ts';
import { textAt } from './members.ts';
import type { Places, Visit } from './plan.ts';
import type { Tokens } from './session.ts';

/** Longer ones could not be kept anyway. */
const MOST_TOKEN = 16_384;

export function redeemCode(
  visit: Visit,
  places: Places,
  code: string,
  verifier: string,
): Promise<Tokens | PosternError> {
  const { context } = visit;
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: context.services.providers.callbackUrl,
  });
  if (places.usesPkce) form.set('code_verifier', verifier);
  return tokens(visit, places, form, context.signal);
}

/** @returns 3122 when the provider takes it no more. Others may wait for the answer, too. */
export function refresh(visit: Visit, places: Places, token: string): Promise<Tokens | PosternError> {
  return tokens(visit, places, new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }), null);
}

async function tokens(
  visit: Visit,
  { tokenUrl, usesBasic }: Places,
  form: URLSearchParams,
  signal: AbortSignal | null,
): Promise<Tokens | PosternError> {
  const { id, secret } = visit.client;
  const headers: Record<string, string> = {};
  if (usesBasic && secret !== '') headers['authorization'] = basic(id, secret);
  else {
    form.set('client_id', id);
    if (secret !== '') form.set('client_secret', secret);
  }
  const answer = await ask(visit, { url: tokenUrl, form: form.toString(), headers, signal });
  if (isPosternError(answer)) return answer;
  // Some say what is wrong with a 200.
  const error = textAt(answer.members, 'error');
  if (error !== '' || answer.status !== 200) return refused(visit, error, answer.status);
  return read(visit, answer.members);
}

/** RFC 6749 §2.3.1: each part is encoded as in a form before. */
function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

const SPENT: ReadonlySet<string> = new Set(['invalid_grant', 'bad_verification_code']);
const NOT_OURS: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'incorrect_client_credentials',
]);

function refused(visit: Visit, error: string, status: number): PosternError {
  if (SPENT.has(error)) return fail(3122);
  if (error === 'invalid_scope') return fail(3126);
  if (NOT_OURS.has(error)) {
    visit.context.warn(`${visit.plan.path}: the identity provider does not take the client id and secret`);
    return fail(3127);
  }
  return noUse(visit, error === '' ? `has the status ${status}` : 'says that the request for tokens is wrong');
}

function read(visit: Visit, members: Members): Tokens | PosternError {
  const access = textAt(members, 'access_token');
  const type = textAt(members, 'token_type');
  if (access === '' || access.length > MOST_TOKEN) return noUse(visit, 'has no access token that could be kept');
  if (type !== '' && type.toLowerCase() !== 'bearer') return noUse(visit, 'has a token of an unknown type');
  const seconds = Number(members['expires_in'] ?? 0);
  return {
    access,
    refresh: bounded(textAt(members, 'refresh_token')),
    identity: bounded(textAt(members, 'id_token')),
    expiresAt: seconds > 0 && seconds < 1e10 ? visit.context.now() + seconds * 1000 : 0,
  };
}

const bounded = (token: string): string => (token.length > MOST_TOKEN ? '' : token);
