/** A certificate authority asks whether a name leads here: answered before whatever the endpoint has rules for. */
import { originForm } from '@postern/protocol';
import type { EdgeContext } from '../../context.ts';
import { answerWith } from '../answers/answer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { hostOf } from '../exchange/requester.ts';
import { deliver } from './deliver.ts';

/** RFC 8555 §8.3 */
const FIELDS = [
  ['Content-Type', 'application/octet-stream'],
  ['Cache-Control', 'no-store'],
] as const;

/** @returns whether that is what was asked, and it was answered */
export function answerChallenge({ challenges }: EdgeContext, exchange: Exchange): boolean {
  if (!challenges.pending) return false;
  const { authority, target, method } = exchange.request;
  // RFC 8555 §8.3: authorities ask by GET; other methods are the endpoint's.
  if (method !== 'GET' && method !== 'HEAD') return false;
  const answer = challenges.answer(hostOf(authority).toLowerCase(), originForm(method, target));
  if (answer === null) return false;
  answerWith(exchange, 200, FIELDS, Buffer.from(answer));
  deliver(exchange);
  return true;
}
