/** Whether one of the published keys has signed a token. */
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { Template } from '../../interpolation/template.ts';
import type { KeysProblem, PublishedKey } from '../../services.ts';
import { fits, isSigned, priceOf } from './algorithms.ts';
import type { Token } from './token.ts';
import { VerifiedTokens } from './verified.ts';

/** While a further one is asked for: the door out has four places for an endpoint, and who finds none waits for long. */
const MOST_AWAITED = 2;

/** Keys that one token is tried with: of a name there is one, but a token may name none. */
const MOST_TRIES = 4;

/** Of all endpoints: a token is whoever's has signed it. */
const VERIFIED = new VerifiedTokens();

export type Verdict = 'right' | 'wrong' | 'no-key' | 'no-set' | 'gone' | Failure;

/**
 * Asks the sets in order, until a key of one fits. A set that has to be asked for first holds up no token of one that is
 * here: many issuers' tokens are no business of the first, who may not answer.
 * @returns 'no-set' where a set that could not be had may be the one
 */
export function verifyToken(token: Token, sources: readonly Template[], path: string, scope: Scope): Promise<Verdict> {
  return new Verification(token, path, scope).over(sources);
}

class Verification {
  readonly #token: Token;
  /** Of the sources, for warnings. */
  readonly #path: string;
  readonly #scope: Scope;
  /** Sets that were asked for and are not here yet, by their place. */
  readonly #awaited = new Map<number, Promise<Asked>>();
  #verdict: 'wrong' | 'no-key' | 'no-set' = 'no-key';
  #tries = 0;

  constructor(token: Token, path: string, scope: Scope) {
    this.#token = token;
    this.#path = path;
    this.#scope = scope;
  }

  async over(sources: readonly Template[]): Promise<Verdict> {
    const { services, endpoint } = this.#scope.context;
    for (const [index, source] of sources.entries()) {
      const url = source.require(this.#scope);
      if (url instanceof Failure) return url;
      const asked = services.keys.at(url, this.#token.kid, endpoint.id);
      if (asked instanceof Promise) this.#awaited.set(index, asked);
      const end = asked instanceof Promise ? await this.#settle(MOST_AWAITED) : await this.#try(asked);
      if (end !== null) return end;
    }
    return (await this.#settle(0)) ?? this.#verdict;
  }

  /** Waits, in order, until `most` sets at most are awaited. */
  async #settle(most: number): Promise<Verdict | null> {
    for (const [index, asked] of this.#awaited) {
      if (this.#awaited.size <= most) return null;
      this.#awaited.delete(index);
      const keys = await untilGone(asked, this.#scope.context.signal);
      if (keys === null) return 'gone';
      const end = 'problem' in keys ? this.#lacks(index, keys) : await this.#try(keys);
      if (end !== null) return end;
    }
    return null;
  }

  #lacks(index: number, { problem }: KeysProblem): null {
    this.#scope.context.warn(`${this.#path}[${index}]: the set of keys could not be had: ${problem}`);
    this.#verdict = 'no-set';
    return null;
  }

  /** @returns null when it is none of these keys */
  async #try(keys: readonly PublishedKey[]): Promise<Verdict | null> {
    const { text, algorithm, signed, signature } = this.#token;
    const fitting = candidates(keys, this.#token);
    const signer = VERIFIED.signerOf(text);
    const known = fitting.slice(0, MOST_TRIES - this.#tries).find(({ key }) => key === signer);
    // Paid for all the same: what becomes of a request does not depend on those before it.
    if (known !== undefined) return spend(this.#scope, priceOf(known.key)) ? 'right' : TOO_MANY_STEPS;
    for (const { key } of fitting) {
      if (++this.#tries > MOST_TRIES) return this.#verdict;
      if (!spend(this.#scope, priceOf(key))) return TOO_MANY_STEPS;
      const isRight = await isSigned(algorithm, key, signed, signature);
      if (isRight) {
        VERIFIED.keep(text, key);
        return 'right';
      }
      if (this.#verdict === 'no-key') this.#verdict = 'wrong';
    }
    return null;
  }
}

function candidates(keys: readonly PublishedKey[], { kid, algorithm }: Token): readonly PublishedKey[] {
  return keys.filter((key) => (kid === '' || key.kid === kid) && fits(algorithm, key));
}

type Asked = readonly PublishedKey[] | KeysProblem;

/** @returns null when nobody is there any more who could be answered; the set is kept for others all the same */
function untilGone(asked: Promise<Asked>, signal: AbortSignal): Promise<Asked | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const gone = (): void => resolve(null);
    signal.addEventListener('abort', gone, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
