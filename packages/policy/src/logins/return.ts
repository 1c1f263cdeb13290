/**
 * The server's own address, where every provider sends visitors back to. It knows nobody: it makes of a state, which was
 * sealed here, the way back to the endpoint that began, and nothing else can lead anywhere.
 */
import { fail, type PosternError } from '@postern/errors';
import type { Sessions } from '../services.ts';
import { LOGIN_MS, openState, sealHop } from './sealed.ts';
import { withHop } from './urls.ts';

export const CALLBACK_PATH = '/oauth2/callback';

const MOST_STATE = 4_096;
const MOST_CODE = 4_096;
const MOST_WORD = 256;

/**
 * @param target of the request: path and query
 * @param now Unix milliseconds
 * @returns where to send the visitor; 3107, 3108, 3119, 90065
 */
export function returnFromProvider(target: string, sessions: Sessions, now: number): string | PosternError {
  const at = target.indexOf('?');
  if ((at === -1 ? target : target.slice(0, at)) !== CALLBACK_PATH) return fail(90065);
  const query = new URLSearchParams(at === -1 ? '' : target.slice(at + 1));
  const text = query.get('state') ?? '';
  if (text === '') return fail(3107);
  const state = text.length > MOST_STATE ? null : openState(sessions, text);
  const code = query.get('code') ?? '';
  if (state === null || code.length > MOST_CODE) return fail(3108);
  if (now - state.at >= LOGIN_MS) return fail(3119, { minutes: LOGIN_MS / 60_000 });
  const error = (query.get('error') ?? '').slice(0, MOST_WORD);
  const issuer = (query.get('iss') ?? '').slice(0, MOST_WORD);
  return state.origin + withHop(state.target, sealHop(sessions, { ...state, code, error, issuer }));
}
