/**
 * Who asked for what, and who received it. Visitors and upstreams both report here, by nonce, and what does not fit
 * together is a violation: a delivery to the wrong upstream, a POST that arrived twice, a body that ended as if it were
 * whole and is not, an answer that is another's.
 */

export interface Asked {
  readonly endpoint: string;
  readonly method: 'GET' | 'POST' | 'TCP';
  /** Bytes of the request's body and of the answer's. */
  readonly sends: number;
  readonly wants: number;
}

interface Page {
  readonly asked: Asked;
  arrivals: number;
  /** Arrivals whose request was whole. */
  whole: number;
  /** When the visitor was done with it, in milliseconds; 0 = not yet. */
  settledAt: number;
}

/** Latecomers are still recognised for this long. */
const KEEP_MS = 120_000;
const MOST_VIOLATIONS = 100;
/** What happened this long before a violation is told with it. */
const LATELY_MS = 3000;

export class Ledger {
  readonly violations: string[] = [];
  /** Upstreams hang up now and then, as when they crash over a request. */
  unruly = false;
  /** What visitors got, by kind: `ok`, `503 ERR_NGROK_…`, `reset`, …. */
  readonly outcomes = new Map<string, number>();
  readonly #pages = new Map<string, Page>();
  readonly #reach: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #events: { readonly what: string; readonly at: number }[] = [];
  #settled = 0;

  /** @param reach names of the upstreams behind each endpoint */
  constructor(reach: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#reach = reach;
  }

  /** Requests that visitors are done with. */
  get settled(): number {
    return this.#settled;
  }

  ask(nonce: string, asked: Asked): void {
    this.#pages.set(nonce, { asked, arrivals: 0, whole: 0, settledAt: 0 });
  }

  /** A request's head reached an upstream. Answers what was asked, or null for a stranger, who is a violation. */
  arrived(nonce: string, upstream: string): Asked | null {
    const page = this.#pages.get(nonce);
    if (page === undefined) {
      this.violate(`${upstream} received "${nonce}", which nobody asked for lately`);
      return null;
    }
    page.arrivals += 1;
    const { endpoint, method } = page.asked;
    if (this.#reach.get(endpoint)?.has(upstream) !== true) {
      this.violate(`${nonce} asked for ${endpoint} and was delivered to ${upstream}`);
    }
    if (method === 'POST' && page.arrivals > 1) this.violate(`${nonce}: a POST arrived ${page.arrivals} times`);
    return page.asked;
  }

  /** Whether the upstream shall close the connection without an answer. What is asked again then is served. */
  hangsUp(nonce: string): boolean {
    return this.unruly && numberOf(nonce) % 40 === 7 && this.#pages.get(nonce)?.arrivals === 1;
  }

  /** A request ended at an upstream as if it were whole. */
  endedWhole(nonce: string, upstream: string, rightBody: boolean): void {
    const page = this.#pages.get(nonce);
    if (page !== undefined) page.whole += 1;
    if (!rightBody)
      this.violate(`${nonce}: ${upstream} received a body that is cut or mixed, and was told it is whole`);
  }

  /** The visitor got an answer that claims to be whole and from `upstream`. */
  answered(nonce: string, answer: { readonly nonce: string; readonly upstream: string; readonly bytes: Buffer }): void {
    const page = this.#pages.get(nonce);
    if (page === undefined) return;
    const { endpoint } = page.asked;
    if (answer.nonce !== nonce) this.violate(`${nonce} got the answer of ${answer.nonce}`);
    if (this.#reach.get(endpoint)?.has(answer.upstream) !== true) {
      this.violate(`${nonce} asked for ${endpoint} and was answered by ${answer.upstream}`);
    }
    if (!answer.bytes.equals(bodyOf(nonce, page.asked.wants))) {
      const { method, wants } = page.asked;
      const got = `${answer.bytes.length} of ${wants} bytes`;
      this.violate(`${nonce} (${method} ${endpoint}): the answer is cut or mixed (${got}), and was said to be whole`);
    }
    if (page.whole === 0) this.violate(`${nonce} was answered, but no upstream received all of it`);
    this.settle(nonce, 'ok');
  }

  settle(nonce: string, outcome: string): void {
    const page = this.#pages.get(nonce);
    if (page !== undefined) page.settledAt = performance.now();
    this.#settled += 1;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    this.#forget();
  }

  /** Something happened to the world. */
  note(what: string): void {
    this.#events.push({ what, at: performance.now() });
    if (this.#events.length > 50) this.#events.shift();
  }

  violate(text: string): void {
    if (this.violations.length >= MOST_VIOLATIONS) return;
    const now = performance.now();
    const lately = this.#events
      .filter(({ at }) => now - at < LATELY_MS)
      .map(({ what, at }) => `${what} ${((now - at) / 1000).toFixed(2)} s ago`);
    this.violations.push(lately.length === 0 ? text : `${text} (${lately.join(', ')})`);
  }

  /** Pages are kept in the order of their asking, so the old ones are in front. */
  #forget(): void {
    const horizon = performance.now() - KEEP_MS;
    for (const [nonce, page] of this.#pages) {
      if (page.settledAt === 0 || page.settledAt > horizon) return;
      this.#pages.delete(nonce);
    }
  }
}

/** Nonces count up. */
export function numberOf(nonce: string): number {
  return Number(nonce.slice(nonce.lastIndexOf('-') + 1));
}

/** A body that nobody else's nonce has, at any length. */
export function bodyOf(nonce: string, bytes: number): Buffer {
  return bytes === 0 ? Buffer.alloc(0) : Buffer.alloc(bytes, `${nonce}|`);
}
