/**
 * bcrypt comparisons off the thread that moves traffic. Verdicts are remembered by a keyed digest of what was asked, so
 * that a visitor's second request costs a hash and not a comparison.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';

export interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

interface Answer {
  readonly id: number;
  readonly matches: boolean;
}

const MAX_WAITING = 64;
const MAX_REMEMBERED = 1000;
const DEADLINE_MS = 10_000;
const IDLE_MS = 30_000;

const key = randomBytes(32);
const verdicts = new Map<string, boolean>();
const asking = new Map<string, Promise<boolean>>();
const waiting = new Map<number, (matches: boolean | null) => void>();
let worker: Worker | null = null;
let idle: NodeJS.Timeout | null = null;
let lastId = 0;

/** @returns the verdict at once when it is known, else a promise. Under a flood of guesses the answer is no. */
export function matchesBcrypt(password: string, hash: string): boolean | Promise<boolean> {
  const digest = createHmac('sha256', key).update(hash).update('\0').update(password).digest('base64');
  const known = verdicts.get(digest);
  if (known !== undefined) return known;
  const under = asking.get(digest);
  if (under !== undefined) return under;
  if (waiting.size >= MAX_WAITING) return false;
  const answer = ask(password, hash).then((matches) => {
    asking.delete(digest);
    if (matches !== null) remember(digest, matches);
    return matches === true;
  });
  asking.set(digest, answer);
  return answer;
}

function remember(digest: string, matches: boolean): void {
  if (verdicts.size >= MAX_REMEMBERED) {
    const [oldest] = verdicts.keys();
    if (oldest !== undefined) verdicts.delete(oldest);
  }
  verdicts.set(digest, matches);
}

/** @returns null when there was no answer in time. */
async function ask(password: string, hash: string): Promise<boolean | null> {
  const id = ++lastId;
  const thread = (worker ??= start());
  if (idle !== null) clearTimeout(idle);
  return new Promise((resolve) => {
    const late = setTimeout(() => finish(null), DEADLINE_MS);
    late.unref();
    const finish = (matches: boolean | null): void => {
      clearTimeout(late);
      waiting.delete(id);
      if (waiting.size === 0) stopLater(thread);
      resolve(matches);
    };
    waiting.set(id, finish);
    const question: Question = { id, password, hash };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
    thread.postMessage(question);
  });
}

/** A thread that nobody asks is memory for nothing. */
function stopLater(thread: Worker): void {
  if (idle !== null) clearTimeout(idle);
  idle = setTimeout(() => {
    if (worker === thread) worker = null;
    void thread.terminate();
  }, IDLE_MS);
  idle.unref();
}

function start(): Worker {
  const thread = new Worker(new URL('./bcrypt-worker.ts', import.meta.url));
  // It must not keep a process alive that has nothing else to do.
  thread.unref();
  thread.on('message', ({ id, matches }: Answer) => waiting.get(id)?.(matches));
  thread.on('error', () => {
    if (worker === thread) worker = null;
    for (const finish of waiting.values()) finish(null);
  });
  return thread;
}
