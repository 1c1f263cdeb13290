/** Identity providers, asked through the one door out, and what they have published of themselves, kept for minutes. */
import type {
  Asker,
  ProviderAnswer,
  ProviderProblem,
  ProviderRequest,
  Providers,
  ProviderSettings,
  Published,
} from '@postern/policy';
import { networkOf } from '../places/network.ts';
import { Tally } from '../tally.ts';
import type { Outside } from './outside.ts';

const FRESH_MS = 15 * 60_000;
/** How long a document holds beyond that while nobody answers for it. */
const STALE_MS = 60 * 60_000;
/** Between two questions for a document that could not be had. */
const AGAIN_MS = 5_000;
const TIMEOUT_MS = 10_000;
const MOST_BYTES = 256 * 1024;
const MOST_DOCUMENTS = 512;
const MOST_OF_ONE = 16;
/** Requests under way at once that visitors of one network make one endpoint ask. */
const OF_ONE_NETWORK = 6;

export interface IdentityProvidersOptions {
  readonly outside: Pick<Outside, 'call'>;
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number;
  readonly callbackUrl: string;
  /** By the provider's name. */
  readonly settings: ReadonlyMap<string, ProviderSettings>;
}

class KeptDocument {
  readonly endpointId: string;
  published: Published | null = null;
  problem: ProviderProblem = { problem: 'it has not been asked yet' };
  givenAt = -Infinity;
  askedAt = -Infinity;
  asking: Promise<Published | ProviderProblem> | null = null;

  constructor(endpointId: string) {
    this.endpointId = endpointId;
  }
}

export class IdentityProviders implements Providers {
  readonly callbackUrl: string;
  readonly #outside: Pick<Outside, 'call'>;
  readonly #now: () => number;
  readonly #settings: ReadonlyMap<string, ProviderSettings>;
  readonly #underWay = new Tally();
  /** By address, the one used last at the end. */
  readonly #documents = new Map<string, KeptDocument>();

  constructor({ outside, now, callbackUrl, settings }: IdentityProvidersOptions) {
    this.#outside = outside;
    this.#now = now;
    this.callbackUrl = callbackUrl;
    this.#settings = settings;
  }

  settings(provider: string): ProviderSettings | null {
    return this.#settings.get(provider) ?? null;
  }

  async ask(request: ProviderRequest, { endpoint, address }: Asker): Promise<ProviderAnswer | ProviderProblem> {
    const key = `${endpoint} ${networkOf(address)}`;
    if (this.#underWay.of(key) >= OF_ONE_NETWORK) {
      return { problem: 'visitors of one network ask for too much at once', busy: true };
    }
    this.#underWay.add(key, 1);
    try {
      return await this.#ask(request, endpoint);
    } finally {
      this.#underWay.add(key, -1);
    }
  }

  document(url: string, { endpoint }: Asker): Published | Promise<Published | ProviderProblem> {
    const kept = this.#document(url, endpoint);
    const now = this.#now();
    if (kept.published !== null && now - kept.givenAt < FRESH_MS) return kept.published;
    if (kept.asking !== null) return kept.asking;
    if (now - kept.askedAt < AGAIN_MS) return Promise.resolve(known(kept, now));
    kept.askedAt = now;
    kept.asking = this.#fetch(kept, url, endpoint);
    return kept.asking;
  }

  async #fetch(kept: KeptDocument, url: string, endpoint: string): Promise<Published | ProviderProblem> {
    const answer = await this.#ask({ url, form: null, headers: {}, signal: null }, endpoint);
    const now = this.#now();
    kept.asking = null;
    const read = 'problem' in answer ? answer : readDocument(answer);
    if ('problem' in read) {
      kept.problem = read;
      return known(kept, now);
    }
    kept.published = read;
    kept.givenAt = now;
    return read;
  }

  async #ask({ url, form, headers, signal }: ProviderRequest, endpointId: string) {
    if (!URL.canParse(url)) return { problem: 'it is no address' };
    const type = form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    return this.#outside.call({
      url: new URL(url),
      method: form === null ? 'GET' : 'POST',
      headers: { accept: 'application/json', ...headers, ...type },
      body: form ?? '',
      limit: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      endpointId,
      signal,
    });
  }

  #document(url: string, endpointId: string): KeptDocument {
    const existing = this.#documents.get(url);
    const kept = existing ?? new KeptDocument(endpointId);
    this.#documents.delete(url);
    if (existing === undefined) this.#makeRoom(endpointId);
    this.#documents.set(url, kept);
    return kept;
  }

  #makeRoom(endpointId: string): void {
    const own: string[] = [];
    for (const [url, kept] of this.#documents) if (kept.endpointId === endpointId) own.push(url);
    const full = this.#documents.size >= MOST_DOCUMENTS ? this.#documents.keys() : [];
    const [oldest] = own.length >= MOST_OF_ONE ? own : full;
    if (oldest !== undefined) this.#documents.delete(oldest);
  }
}

/** What can be said without asking. */
function known({ published, givenAt, problem }: KeptDocument, now: number): Published | ProviderProblem {
  return published !== null && now - givenAt < FRESH_MS + STALE_MS ? published : problem;
}

function readDocument({ status, body }: ProviderAnswer): Published | ProviderProblem {
  if (status !== 200) return { problem: `it answered ${status}` };
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { document: { ...value } };
  } catch {
    // As below.
  }
  return { problem: 'its answer is no JSON object' };
}
