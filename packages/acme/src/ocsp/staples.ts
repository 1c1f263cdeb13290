/**
 * Answers of OCSP for the certificates that were ordered, fetched before anybody asks and again in the middle of their
 * life. Where to ask is in the certificate, and so the authority's choice, not a tenant's.
 */
import { request } from 'node:http';
import type { Log } from '../types.ts';
import { type Question, questionOf, readStaple } from './ocsp.ts';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 32_768;
const LEAST_MS = 60_000;
const AGAIN_MS = 600_000;
const MOST_WAIT_MS = 24 * 3_600_000;

interface Kept {
  readonly question: Question;
  readonly names: readonly string[];
  dueAt: number;
  /** Of what is carried now; 0 = nothing is. */
  endsAt: number;
}

export interface StapleParts {
  readonly now: () => number;
  readonly log: Log;
  /** `response` (DER) is carried for the row's certificate from now on; null = none is any more. */
  readonly carried: (id: string, names: readonly string[], response: Buffer | null) => Promise<void>;
}

export class Staples {
  readonly #parts: StapleParts;
  /** By row of managed certificates. */
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | null = null;
  #working = false;
  #stopped = false;

  constructor(parts: StapleParts) {
    this.#parts = parts;
  }

  /** The row has this certificate now. @param chain PEM; null = none any more */
  follow(id: string, names: readonly string[], chain: string | null): void {
    const question = chain === null ? null : questionOf(chain);
    if (question === null) this.#kept.delete(id);
    else this.#kept.set(id, { question, names, dueAt: 0, endsAt: 0 });
    this.#wake(0);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wake(ms: number): void {
    if (this.#stopped || this.#working || this.#kept.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#work(), ms).unref();
  }

  /** One after the other. */
  async #work(): Promise<void> {
    const { now, log } = this.#parts;
    this.#working = true;
    for (const [id, kept] of this.#kept) {
      if (this.#stopped) break;
      if (kept.dueAt > now()) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a responder gets one question at a time
        await this.#refresh(id, kept);
      } catch (error) {
        log.error({ err: error, names: kept.names }, 'an answer of OCSP met a mistake of ours');
        kept.dueAt = now() + AGAIN_MS;
      }
    }
    this.#working = false;
    let next = Infinity;
    for (const { dueAt } of this.#kept.values()) next = Math.min(next, dueAt);
    this.#wake(Math.min(Math.max(next - now(), 0), MOST_WAIT_MS));
  }

  async #refresh(id: string, kept: Kept): Promise<void> {
    const { now, log, carried } = this.#parts;
    const { question, names } = kept;
    const found = await fetched(question)
      .then((bytes) => readStaple(bytes, question, now()))
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    // It has another certificate by now.
    if (this.#kept.get(id) !== kept || this.#stopped) return;
    if (typeof found === 'string') {
      log.warn({ names, responder: question.url, reason: found }, 'there is no answer of OCSP to carry; asked later');
      kept.dueAt = now() + AGAIN_MS;
      if (kept.endsAt > kept.dueAt || kept.endsAt === 0) return;
      kept.endsAt = 0;
      await carried(id, names, null);
      return;
    }
    if (found.revoked) log.warn({ names }, 'the certificate was revoked, says its authority');
    kept.endsAt = found.nextUpdate;
    kept.dueAt = Math.max((found.thisUpdate + found.nextUpdate) / 2, now() + LEAST_MS);
    // What says "revoked" is carried by nobody.
    await carried(id, names, found.revoked ? null : found.response);
  }
}

function fetched({ url, request: body }: Question): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { 'content-type': 'application/ocsp-request', 'content-length': body.length };
    const sent = request(url, { method: 'POST', agent: false, signal, headers }, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on('error', reject);
      answer.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MOST_BYTES) sent.destroy(new Error('the answer is too large'));
        else parts.push(part);
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new Error(`the responder answered ${answer.statusCode ?? 0}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
