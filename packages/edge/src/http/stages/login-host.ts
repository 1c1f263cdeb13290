/** The server's own name, for visitors who come back from an identity provider (policy/src/logins/return.ts). */
import { returnFromProvider } from '@postern/policy';
import { originForm } from '@postern/protocol';
import type { EdgeContext } from '../../context.ts';
import { answerWith, answerWithPage } from '../answers/answer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { deliver } from './deliver.ts';
import { hostOf } from '../exchange/requester.ts';

const NOTHING = Buffer.alloc(0);
const KEPT_BY_NOBODY = [
  ['Cache-Control', 'no-store'],
  ['Referrer-Policy', 'no-referrer'],
] as const;

function isLoginHost({ config }: EdgeContext, { request }: Exchange): boolean {
  const { host } = config.logins;
  const { authority } = request;
  return authority.length >= host.length && authority.startsWith(host) && hostOf(authority) === host;
}

/** Sends the visitor on to where his log-in began, or says why that is nowhere. @returns whether it was here at all */
export function answerLogin(edge: EdgeContext, exchange: Exchange): boolean {
  if (!isLoginHost(edge, exchange)) return false;
  const { method, target } = exchange.request;
  const location = returnFromProvider(originForm(method, target), edge.services.sessions, edge.now());
  if (typeof location === 'string') answerWith(exchange, 302, [['Location', location], ...KEPT_BY_NOBODY], NOTHING);
  else answerWithPage(exchange, location);
  deliver(exchange);
  return true;
}
