/**
 * bcrypt comparisons off the thread that moves traffic: one after the other, endpoints in turn. A right password is
 * remembered by a keyed digest of what was asked, so that a visitor's second request costs a hash and not a comparison;
 * a wrong one is not, and neither is that there was no place to ask.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
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

/** For whom it is asked: what places and turns are shared by. */
export interface Asker {
  readonly endpoint: string;
  readonly address: string;
}

interface Waiting extends Question {
  readonly finish: (matches: boolean | null) => void;
  over: boolean;
}

const MAX_REMEMBERED = 10_000;
const DEADLINE_MS = 10_000;
const IDLE_MS = 30_000;

const key = randomBytes(32);
/** Digests of right passwords, the one used last at the end. */
const right = new Set<string>();
const asking = new Map<string, Promise<boolean | null>>();
const turns = new Turns<Waiting>({ all: 512, perEndpoint: 64, perAddress: 32 });
let current: Waiting | null = null;
let worker: Worker | null = null;
let idle: NodeJS.Timeout | null = null;
let lastId = 0;

/**
 * @returns true at once when it is known, else a promise of the verdict; null = nobody could be asked in time, which
 *   says nothing about the password
 */
export function matchesBcrypt(password: string, hash: string, asker: Asker): true | Promise<boolean | null> {
  const digest = createHmac('sha256', key).update(hash).update('\0').update(password).digest('base64');
  if (right.delete(digest)) {
    right.add(digest);
    return true;
  }
  const under = asking.get(digest);
  if (under !== undefined) return under;
  const answer = ask(password, hash, asker).then((matches) => {
    asking.delete(digest);
    if (matches === true) remember(digest);
    return matches;
  });
  asking.set(digest, answer);
  return answer;
}

function remember(digest: string): void {
  if (right.size >= MAX_REMEMBERED) {
    const [oldest] = right;
    if (oldest !== undefined) right.delete(oldest);
  }
  right.add(digest);
}

async function ask(password: string, hash: string, { endpoint, address }: Asker): Promise<boolean | null> {
  return new Promise((resolve) => {
    const late = setTimeout(() => waiting.finish(null), DEADLINE_MS);
    late.unref();
    const waiting: Waiting = {
      id: ++lastId,
      password,
      hash,
      over: false,
      finish(matches) {
        waiting.over = true;
        clearTimeout(late);
        resolve(matches);
      },
    };
    if (turns.push(endpoint, address, waiting)) dispatch();
    else waiting.finish(null);
  });
}

/** Gives the worker the next question when it has none. */
function dispatch(): void {
  if (current !== null) return;
  let next = turns.next();
  while (next?.over === true) next = turns.next();
  if (idle !== null) clearTimeout(idle);
  if (next === null) return stopLater();
  current = next;
  const { id, password, hash } = next;
  const question: Question = { id, password, hash };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
  (worker ??= start()).postMessage(question);
}

function answered({ id, matches }: Answer): void {
  if (current?.id !== id) return;
  const { finish } = current;
  current = null;
  finish(matches);
  dispatch();
}

/** A thread that nobody asks is memory for nothing. */
function stopLater(): void {
  idle = setTimeout(() => {
    const thread = worker;
    worker = null;
    void thread?.terminate();
  }, IDLE_MS);
  idle.unref();
}

function start(): Worker {
  const thread = new Worker(new URL('./bcrypt-worker.ts', import.meta.url));
  // It must not keep a process alive that has nothing else to do.
  thread.unref();
  thread.on('message', answered);
  thread.on('error', () => {
    if (worker === thread) worker = null;
    const lost = current;
    current = null;
    lost?.finish(null);
    dispatch();
  });
  return thread;
}
