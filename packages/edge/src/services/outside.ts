/**
 * The one door out of the server: what policies need from the internet is asked for here. Tenants, and through them
 * visitors, choose the addresses, so that nothing is reached that only this server can reach: a name is resolved once,
 * every address of it must be a public one (or one that the operator allows), and the connection goes to the address that
 * was looked at. No redirects, no proxies, no connection that is kept; bounds for bytes, time and how many at once.
 */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { CidrSet, isPublicAddress, type RelayedAnswer, type RelayProblem, type RelayRequest } from '@postern/policy';
import { Tally } from '../tally.ts';

/** Under way at once: in all, and for one endpoint. */
const AT_ONCE = 32;
const OF_ONE = 4;

interface OutsidePlace {
  readonly url: URL;
  /** Bytes of the answer's body. */
  readonly limit: number;
  readonly timeoutMs: number;
  /** Endpoint whose policy asks: what places are shared by. */
  readonly endpointId: string;
}

export interface OutsideRequest extends OutsidePlace {
  readonly accept: string;
}

/** Of any kind. */
export interface OutsideCall extends OutsidePlace {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** Empty = none. */
  readonly body: string | Buffer;
  /** Ends it early; null = nobody does. */
  readonly signal: AbortSignal | null;
}

/** What goes out of a request. */
type OutsideSent = Pick<OutsideCall, 'url' | 'method' | 'headers' | 'body'>;

export interface OutsideAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Why there is no answer: a clause with its subject. */
export interface OutsideProblem {
  readonly problem: string;
  /** Too much is asked for already. */
  readonly busy?: boolean;
}

const BUSY: OutsideProblem = { problem: 'too much is asked for at once', busy: true };
const LATE = 'it did not answer in time';

export interface OutsideOptions {
  /** CIDR ranges that may be reached although they are not public. */
  readonly allow: readonly string[];
  /** Addresses of a name; rejects when it has none. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** PEM of authorities that are trusted besides the system's. */
  readonly ca?: readonly string[];
  /** How many requests at once, in all and for one endpoint. */
  readonly atOnce?: number;
  readonly ofOne?: number;
}

export class Outside {
  /** Since the start: requests that were made, and that were refused for where they led. */
  asked = 0;
  refused = 0;
  readonly #allowed: CidrSet;
  readonly #resolve: (host: string) => Promise<readonly string[]>;
  readonly #ca: readonly string[] | undefined;
  readonly #atOnce: number;
  readonly #ofOne: number;
  readonly #underWay = new Tally();
  #all = 0;

  constructor({ allow, resolve = resolveByDns, ca, atOnce = AT_ONCE, ofOne = OF_ONE }: OutsideOptions) {
    this.#atOnce = atOnce;
    this.#ofOne = ofOne;
    this.#allowed = new CidrSet(allow);
    this.#resolve = resolve;
    this.#ca = ca;
  }

  /** @returns the body of a 200, or why there is none; never rejects */
  async get({ accept, ...place }: OutsideRequest): Promise<Buffer | OutsideProblem> {
    const answer = await this.call({ ...place, method: 'GET', headers: { accept }, body: '', signal: null });
    if ('problem' in answer) return answer;
    return answer.status === 200 ? answer.body : { problem: `it answered ${answer.status}` };
  }

  /** @returns the answer, whatever its status, or why there is none; never rejects */
  async call(call: OutsideCall): Promise<OutsideAnswer | OutsideProblem> {
    const { endpointId, signal } = call;
    if (!this.#enter(endpointId)) return BUSY;
    const late = AbortSignal.timeout(call.timeoutMs);
    const over = signal === null ? late : AbortSignal.any([late, signal]);
    try {
      const answer = await this.#reach(call, over);
      return 'problem' in answer ? answer : await readAnswer(answer, call.limit);
    } catch (error) {
      return { problem: late.aborted ? LATE : wordsOf(error) };
    } finally {
      this.#leave(endpointId);
    }
  }

  /** As `call`, up to the head of the answer: its body is there to be read, and its place taken until it is over. */
  async open({ silenceMs, timeoutMs, signal, ...call }: RelayRequest): Promise<RelayedAnswer | RelayProblem> {
    const { endpointId } = call;
    if (!this.#enter(endpointId)) return { problem: BUSY.problem, late: false };
    const over = new AbortController();
    const end = (): void => over.abort();
    signal.addEventListener('abort', end, { once: true });
    const leave = (): void => {
      signal.removeEventListener('abort', end);
      this.#leave(endpointId);
    };
    const late = setTimeout(end, timeoutMs);
    let answer: IncomingMessage | OutsideProblem;
    try {
      if (signal.aborted) end();
      answer = await this.#reach({ ...call, url: new URL(call.url) }, over.signal);
    } catch (error) {
      answer = { problem: wordsOf(error) };
    }
    clearTimeout(late);
    if ('problem' in answer) {
      leave();
      const wasLate = over.signal.aborted && !signal.aborted;
      return { problem: wasLate ? LATE : answer.problem, late: wasLate };
    }
    answer.once('close', leave);
    // Whoever takes it listens, too; one that nobody has taken yet may break off all the same.
    answer.on('error', () => {});
    return { status: answer.statusCode ?? 0, fields: answer.rawHeaders, body: answer, silenceMs };
  }

  #enter(endpointId: string): boolean {
    if (this.#underWay.of(endpointId) >= this.#ofOne || this.#all >= this.#atOnce) return false;
    this.#underWay.add(endpointId, 1);
    this.#all++;
    return true;
  }

  #leave(endpointId: string): void {
    this.#all--;
    this.#underWay.add(endpointId, -1);
  }

  /** @returns the answer as its head is there */
  async #reach(call: OutsideSent, over: AbortSignal): Promise<IncomingMessage | OutsideProblem> {
    const { url } = call;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) === 0 ? await before(over, this.#resolve(host)) : [host];
    const [address] = addresses;
    if (address === undefined) return { problem: 'its name has no address' };
    if (!addresses.every((one) => this.#mayReach(one, url.protocol))) {
      this.refused++;
      return { problem: 'its address is not one that policies may reach' };
    }
    this.asked++;
    return this.#ask(call, address, over);
  }

  /** Without TLS nobody knows who answers: for what the operator has named only. */
  #mayReach(address: string, protocol: string): boolean {
    if (this.#allowed.match(address) !== null) return protocol === 'https:' || protocol === 'http:';
    return protocol === 'https:' && isPublicAddress(address);
  }

  #ask({ url, method, headers, body }: OutsideSent, address: string, signal: AbortSignal): Promise<IncomingMessage> {
    const family = isIP(address);
    return new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const sent = send(url, {
        agent: false,
        method,
        signal,
        maxHeaderSize: 16_384,
        headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'postern', connection: 'close' },
        // The address that was looked at, whatever the name says a moment later.
        lookup: (_name, { all }, done) =>
          all === true ? done(null, [{ address, family }]) : done(null, address, family),
        ...(this.#ca === undefined ? {} : { ca: [...this.#ca] }),
      });
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end(body.length === 0 ? undefined : body);
    });
  }
}

async function readAnswer(answer: IncomingMessage, limit: number): Promise<OutsideAnswer | OutsideProblem> {
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > limit) return { problem: `its answer has more than ${limit} bytes` };
      parts.push(part);
    }
    if (!answer.complete) return { problem: 'its answer broke off' };
    return { status: answer.statusCode ?? 0, body: Buffer.concat(parts) };
  } finally {
    answer.destroy();
  }
}

async function resolveByDns(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Names are resolved by the system, which cannot be told to stop. */
function before<T>(over: AbortSignal, wanted: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(LATE));
    over.addEventListener('abort', late, { once: true });
    wanted.then(resolve, reject).finally(() => over.removeEventListener('abort', late));
  });
}

/** Of the system's errors the code alone: their words name addresses of this network. */
function wordsOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' ? 'it could not be asked' : `it could not be asked (${code})`;
}
