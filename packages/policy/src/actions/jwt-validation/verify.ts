/** Whether one of the published keys has signed a token. */
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { Template } from '../../interpolation/template.ts';
import type { KeysProblem, PublishedKey } from '../../services.ts';
import { fits, isSigned, priceOf } from './algorithms.ts';
import type { Token } from './token.ts';

/** Keys that one token is tried with: of a name there is one, but a token may name none. */
const MOST_TRIES = 4;

export type Verdict = 'right' | 'wrong' | 'no-key' | 'no-set' | 'gone' | Failure;

/**
 * Asks the sets in order, until a key of one fits.
 * @returns 'no-set' where a set that could not be had may be the one
 */
export async function verifyToken(
  token: Token,
  sources: readonly Template[],
  path: string,
  scope: Scope,
): Promise<Verdict> {
  const { services, endpoint, signal, warn } = viewOf(scope);
  let verdict: Verdict = 'no-key';
  let tries = 0;
  for (const [index, source] of sources.entries()) {
    const url = source.require(scope);
    if (url instanceof Failure) return url;
    const keys = await untilGone(services.keys.at(url, token.kid, endpoint.id), signal);
    if (keys === null) return 'gone';
    if ('problem' in keys) {
      warn(`${path}[${index}]: the set of keys could not be had: ${keys.problem}`);
      verdict = 'no-set';
      continue;
    }
    for (const { key } of candidates(keys, token)) {
      if (++tries > MOST_TRIES) return verdict;
      if (!spend(scope, priceOf(key))) return TOO_MANY_STEPS;
      const isRight = await isSigned(token.algorithm, key, token.signed, token.signature);
      if (isRight) return 'right';
      if (verdict === 'no-key') verdict = 'wrong';
    }
  }
  return verdict;
}

function viewOf({ context }: Scope) {
  const { services, endpoint, signal } = context;
  return { services, endpoint, signal, warn: (message: string) => context.warn(message) };
}

function candidates(keys: readonly PublishedKey[], { kid, algorithm }: Token): readonly PublishedKey[] {
  return keys.filter((key) => (kid === '' || key.kid === kid) && fits(algorithm, key));
}

type Asked = readonly PublishedKey[] | KeysProblem;

/** @returns null when nobody is there any more who could be answered; the set is kept for others all the same */
function untilGone(asked: Asked | Promise<Asked>, signal: AbortSignal): Asked | Promise<Asked | null> {
  if (!(asked instanceof Promise)) return asked;
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const gone = (): void => resolve(null);
    signal.addEventListener('abort', gone, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
