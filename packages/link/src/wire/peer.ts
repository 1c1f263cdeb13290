import type { Channel } from './channel.ts';
import { decodeError, encodeError, type WireError } from './errors.ts';

type Message =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'tell'; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'return'; readonly id: number; readonly value: unknown }
  | { readonly type: 'throw'; readonly id: number; readonly error: WireError };

/**
 * What the other side may ask for, by name. Both ends are made from the same two interfaces (`ends.ts`), so what comes
 * in is what the interface says; nothing here can check that.
 */
// oxlint-disable-next-line no-explicit-any
export type Answers = Readonly<Record<string, (...args: any[]) => unknown>>;

/** A call that had no answer when the channel closed, or was made behind it. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed';

  constructor() {
    super('the link between control and edge is closed');
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One end of a link: asks the other end, and answers it. Each call ends once, with the other end's answer, its failure,
 * or {@link LinkClosed}; how long one may take is the caller's to say, as it is in one process.
 */
export class Peer {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onClosed: () => void;
  #answers: Answers;
  #lastId = 0;
  #closed = false;

  constructor(channel: Channel, answers: Answers, onClosed: () => void) {
    this.#channel = channel;
    this.#answers = answers;
    this.#onClosed = onClosed;
    channel.open(
      (message) => this.#received(message),
      () => this.#ended(),
    );
  }

  /** Adds to what the other side may ask for. */
  answer(more: Answers): void {
    this.#answers = { ...this.#answers, ...more };
  }

  /** @throws what the other side throws, LinkClosed */
  call<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    if (this.#closed) return Promise.reject(new LinkClosed());
    const id = (this.#lastId += 1);
    return new Promise<T>((resolve, reject) => {
      // The other end's answer to this method is what the interface says.
      // oxlint-disable-next-line no-unsafe-type-assertion
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#channel.post({ type: 'call', id, method, args } satisfies Message);
    });
  }

  /** Says something that has no answer. */
  tell(method: string, ...args: readonly unknown[]): void {
    if (!this.#closed) this.#channel.post({ type: 'tell', method, args } satisfies Message);
  }

  close(): void {
    if (this.#closed) return;
    this.#channel.close();
    this.#ended();
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new LinkClosed());
    this.#onClosed();
  }

  #received(raw: unknown): void {
    // Both ends are this class, started from the same installation.
    // oxlint-disable-next-line no-unsafe-type-assertion
    const message = raw as Message;
    switch (message.type) {
      case 'call':
        void this.#answer(message.id, message.method, message.args);
        return;
      case 'tell':
        // Nobody waits for it: whoever answers keeps its own failures.
        void this.#run(message.method, message.args).catch(() => undefined);
        return;
      case 'return':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'throw':
        this.#settle(message.id)?.reject(decodeError(message.error));
        return;
    }
  }

  async #answer(id: number, method: string, args: readonly unknown[]): Promise<void> {
    let reply: Message;
    try {
      reply = { type: 'return', id, value: await this.#run(method, args) };
    } catch (error) {
      reply = { type: 'throw', id, error: encodeError(error) };
    }
    if (!this.#closed) this.#channel.post(reply);
  }

  async #run(method: string, args: readonly unknown[]): Promise<unknown> {
    const answer = Object.hasOwn(this.#answers, method) ? this.#answers[method] : undefined;
    if (answer === undefined) throw new TypeError(`nobody answers ${method} here`);
    return answer(...args);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
