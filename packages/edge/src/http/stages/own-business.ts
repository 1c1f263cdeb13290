import type { EdgeContext } from '../../context.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { answerChallenge } from './challenge.ts';
import { answerLogin } from './login-host.ts';

/** What is for this server itself, whoever has the name. @returns whether it has been answered */
export function ownBusiness(edge: EdgeContext, exchange: Exchange): boolean {
  return answerChallenge(edge, exchange) || answerLogin(edge, exchange);
}
