/**
 * Published sets of keys (JWKS), kept for minutes. A set is asked for when somebody needs it and it is not fresh, once for
 * all who need it then; an unknown key asks again, at most twice a minute whatever names visitors present. While its
 * publisher does not answer, a set that is known holds for another hour.
 *
 * Which sets there are may depend on visitors (an address may be an expression), so that they are bounded, also for each
 * endpoint: one pushes out its own.
 */
import { createPublicKey } from 'node:crypto';
import type { Keys, KeysProblem, PublishedKey } from '@postern/policy';
import type { Outside } from './outside.ts';

const FRESH_MS = 15 * 60_000;
const STALE_MS = 60 * 60_000;
/** Between two questions for one set, when it lacks a key or its publisher did not answer. */
const AGAIN_MS = 30_000;
const TIMEOUT_MS = 5_000;
/** How long an answer is for the other edges of a node, too: who may ask again gets another one. */
export const SHARED_MS = AGAIN_MS - TIMEOUT_MS;
const MOST_BYTES = 256 * 1024;
const MOST_KEYS = 64;
const MOST_SETS = 512;
const MOST_SETS_OF_ONE = 16;
const MOST_URL = 2_048;

class KeySet {
  readonly endpointId: string;
  keys: readonly PublishedKey[] | null = null;
  problem: KeysProblem = { problem: 'it has not been asked yet' };
  /** When it was given last, and asked for last. */
  givenAt = -Infinity;
  askedAt = -Infinity;
  asking: Promise<readonly PublishedKey[] | KeysProblem> | null = null;

  constructor(endpointId: string) {
    this.endpointId = endpointId;
  }
}

export class PublishedKeys implements Keys {
  readonly #outside: Pick<Outside, 'get'>;
  readonly #now: () => number;
  /** By address, the one used last at the end. */
  readonly #sets = new Map<string, KeySet>();

  /** @param now milliseconds of a clock that is never set back */
  constructor(outside: Pick<Outside, 'get'>, now: () => number) {
    this.#outside = outside;
    this.#now = now;
  }

  at(
    url: string,
    kid: string,
    endpointId: string,
  ): readonly PublishedKey[] | Promise<readonly PublishedKey[] | KeysProblem> {
    if (url.length > MOST_URL || !URL.canParse(url)) return Promise.resolve({ problem: 'it is no address' });
    const set = this.#set(url, endpointId);
    const now = this.#now();
    const { keys } = set;
    const mayAsk = now - set.askedAt >= AGAIN_MS;
    if (keys !== null && now - set.givenAt < FRESH_MS && (!mayAsk || has(keys, kid))) {
      return set.asking !== null && !has(keys, kid) ? set.asking : keys;
    }
    if (set.asking !== null) return set.asking;
    if (!mayAsk) return Promise.resolve(this.#known(set, now));
    set.askedAt = now;
    set.asking = this.#ask(set, url, endpointId);
    return set.asking;
  }

  async #ask(set: KeySet, url: string, endpointId: string): Promise<readonly PublishedKey[] | KeysProblem> {
    const answer = await this.#outside.get({
      url: new URL(url),
      accept: 'application/jwk-set+json, application/json',
      limit: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      endpointId,
    });
    const now = this.#now();
    const read = Buffer.isBuffer(answer) ? readSet(answer) : answer;
    set.asking = null;
    if ('problem' in read) {
      set.problem = read;
      return this.#known(set, now);
    }
    set.keys = read;
    set.givenAt = now;
    return read;
  }

  /** What can be said without asking. */
  #known({ keys, givenAt, problem }: KeySet, now: number): readonly PublishedKey[] | KeysProblem {
    return keys !== null && now - givenAt < FRESH_MS + STALE_MS ? keys : problem;
  }

  #set(url: string, endpointId: string): KeySet {
    const known = this.#sets.get(url);
    const set = known ?? new KeySet(endpointId);
    this.#sets.delete(url);
    if (known === undefined) this.#makeRoom(endpointId);
    this.#sets.set(url, set);
    return set;
  }

  #makeRoom(endpointId: string): void {
    const own: string[] = [];
    for (const [url, set] of this.#sets) if (set.endpointId === endpointId) own.push(url);
    const [oldest] = own.length >= MOST_SETS_OF_ONE ? own : this.#sets.size >= MOST_SETS ? this.#sets.keys() : [];
    if (oldest !== undefined) this.#sets.delete(oldest);
  }
}

function has(keys: readonly PublishedKey[], kid: string): boolean {
  return kid === '' || keys.some((key) => key.kid === kid);
}

/** RFC 7517 §5: what is not understood is left out; what is for encryption, or a secret, is no key for signatures. */
function readSet(body: Buffer): readonly PublishedKey[] | KeysProblem {
  let set: unknown;
  try {
    set = JSON.parse(body.toString('utf8'));
  } catch {
    return { problem: 'its answer is no JSON' };
  }
  const list = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null;
  if (!Array.isArray(list)) return { problem: 'its answer has no list of keys' };
  const keys: PublishedKey[] = [];
  for (const jwk of list.slice(0, MOST_KEYS) as unknown[]) {
    const key = readKey(jwk);
    if (key !== null) keys.push(key);
  }
  return keys;
}

const KINDS: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

function readKey(jwk: unknown): PublishedKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null;
  const named: Readonly<Record<string, unknown>> = { ...jwk };
  const { kty, kid, alg, use } = named;
  if (!KINDS.has(kty) || (use !== undefined && use !== 'sig')) return null;
  try {
    const key = createPublicKey({ key: named, format: 'jwk' });
    // Whoever publishes it says what checking a signature costs here.
    const { modulusLength = 2_048, publicExponent = 3n } = key.asymmetricKeyDetails ?? {};
    if (modulusLength < 2_048 || modulusLength > 8_192 || publicExponent > 0xffff_ffffn) return null;
    return { kid: typeof kid === 'string' ? kid : '', alg: typeof alg === 'string' ? alg : '', key };
  } catch {
    return null;
  }
}
