/**
 * bcrypt comparisons off the thread that moves traffic: one after the other, endpoints in turn. A right password is
 * remembered by a keyed digest of what was asked, so that a visitor's second request costs a hash and not a comparison;
 * a wrong one is not, and neither is that there was no place to ask.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Asker, Bcrypt } from '@postern/policy';
import { Turns } from './turns.ts';

export interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

interface Answer {
  readonly id: number;
  readonly matches: boolean;
}

interface Waiting extends Question {
  readonly finish: (matches: boolean | null) => void;
  over: boolean;
}

const MAX_REMEMBERED = 10_000;
const DEADLINE_MS = 10_000;
const IDLE_MS = 30_000;

export class BcryptThread implements Bcrypt {
  readonly #key = randomBytes(32);
  /** Digests of right passwords, the one used last at the end. */
  readonly #right = new Set<string>();
  readonly #asking = new Map<string, Promise<boolean | null>>();
  readonly #turns = new Turns<Waiting>({ all: 512, perEndpoint: 64, perAddress: 32 });
  #current: Waiting | null = null;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #lastId = 0;
  #closed = false;

  matches(password: string, hash: string, asker: Asker): true | Promise<boolean | null> {
    const digest = createHmac('sha256', this.#key).update(hash).update('\0').update(password).digest('base64');
    if (this.#right.delete(digest)) {
      this.#right.add(digest);
      return true;
    }
    const under = this.#asking.get(digest);
    if (under !== undefined) return under;
    const answer = this.#ask(password, hash, asker).then((matches) => {
      this.#asking.delete(digest);
      if (matches === true) this.#remember(digest);
      return matches;
    });
    this.#asking.set(digest, answer);
    return answer;
  }

  /** Ends the thread; whoever waits, or asks from then on, is told null. */
  close(): void {
    this.#closed = true;
    const waiting = [this.#current];
    for (let next = this.#turns.next(); next !== null; next = this.#turns.next()) waiting.push(next);
    this.#current = null;
    for (const one of waiting) one?.finish(null);
    this.#stop();
  }

  #remember(digest: string): void {
    if (this.#right.size >= MAX_REMEMBERED) {
      const [oldest] = this.#right;
      if (oldest !== undefined) this.#right.delete(oldest);
    }
    this.#right.add(digest);
  }

  async #ask(password: string, hash: string, { endpoint, address }: Asker): Promise<boolean | null> {
    return new Promise((resolve) => {
      const late = setTimeout(() => waiting.finish(null), DEADLINE_MS);
      late.unref();
      const waiting: Waiting = {
        id: ++this.#lastId,
        password,
        hash,
        over: false,
        finish(matches) {
          waiting.over = true;
          clearTimeout(late);
          resolve(matches);
        },
      };
      if (!this.#closed && this.#turns.push(endpoint, address, waiting)) this.#dispatch();
      else waiting.finish(null);
    });
  }

  /** Gives the worker the next question when it has none. */
  #dispatch(): void {
    if (this.#current !== null || this.#closed) return;
    let next = this.#turns.next();
    while (next?.over === true) next = this.#turns.next();
    if (this.#idle !== null) clearTimeout(this.#idle);
    if (next === null) {
      // A thread that nobody asks is memory for nothing.
      this.#idle = setTimeout(() => this.#stop(), IDLE_MS);
      this.#idle.unref();
      return;
    }
    this.#current = next;
    const { id, password, hash } = next;
    const question: Question = { id, password, hash };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
    (this.#worker ??= this.#start()).postMessage(question);
  }

  #answered({ id, matches }: Answer): void {
    if (this.#current?.id !== id) return;
    const { finish } = this.#current;
    this.#current = null;
    finish(matches);
    this.#dispatch();
  }

  #stop(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    const thread = this.#worker;
    this.#worker = null;
    void thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./bcrypt-worker.ts', import.meta.url));
    // It must not keep a process alive that has nothing else to do.
    thread.unref();
    thread.on('message', (answer: Answer) => this.#answered(answer));
    thread.on('error', () => {
      if (this.#worker !== thread) return;
      this.#worker = null;
      const lost = this.#current;
      this.#current = null;
      lost?.finish(null);
      this.#dispatch();
    });
    return thread;
  }
}
