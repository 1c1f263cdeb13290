/** An answer from outside, on its way to the visitor: bytes as they come, and no faster than they are taken. */
import { STATUS_CODES } from 'node:http';
import { fail } from '@postern/errors';
import type { RelayedAnswer } from '@postern/policy';
import type { Framing, RawFields } from '@postern/protocol';
import type { TimerHandle } from '../../context.ts';
import type { Guard } from '../../guard.ts';
import { hasNoBody, valueOf } from '../exchange/fields.ts';
import { ResponseDraft } from '../exchange/message.ts';
import type { Upstream, UpstreamOwner } from '../exchange/ports.ts';
import { prepareResponseFields } from '../exchange/prepared-fields.ts';

/** The exchange, and how its callbacks are guarded. */
interface RelayOwner extends UpstreamOwner {
  readonly requester: { readonly guard: Guard };
}

export class RelayUpstream implements Upstream {
  readonly mayTrail = false;
  readonly #answer: RelayedAnswer;
  readonly #guard: Guard;
  #exchange: RelayOwner | null;
  #holding = false;
  #flowing = true;
  #silence: TimerHandle | null = null;
  /** Bytes have come since the timer was set. */
  #spoke = false;

  constructor(answer: RelayedAnswer, exchange: RelayOwner) {
    this.#answer = answer;
    this.#exchange = exchange;
    this.#guard = exchange.requester.guard;
  }

  begin(): void {
    const { body, status, fields: sent } = this.#answer;
    body.pause();
    body.on(
      'data',
      this.#guard.wrap((chunk: Buffer) => this.#data(chunk)),
    );
    const fields = ofAnswers(sent);
    prepareResponseFields(fields);
    body.once(
      'end',
      this.#guard.wrap(() => this.#end()),
    );
    body.once(
      'close',
      this.#guard.wrap(() => this.#fail('it broke off')),
    );
    body.once(
      'error',
      this.#guard.wrap(() => this.#fail('it broke off')),
    );
    const head = { status, reason: STATUS_CODES[status] ?? '', fields, framing: framingOf(status, fields) };
    this.#exchange?.attach(this);
    this.#exchange?.responseHead(new ResponseDraft(head, false));
    if (this.#exchange === null) return;
    this.#steer();
    this.#watch();
  }

  // Of the request, which has been sent already.

  body(): boolean {
    return true;
  }

  trailers(): void {}

  end(): void {}

  visitorFinished(): void {}

  pause(): void {
    this.#flowing = false;
    this.#steer();
  }

  resume(): void {
    this.#flowing = true;
    this.#steer();
  }

  hold(): void {
    this.#holding = true;
    this.#steer();
  }

  release(): void {
    this.#holding = false;
    this.#steer();
  }

  cancel(): void {
    this.#over();
    this.#answer.body.destroy();
  }

  #steer(): void {
    const { body } = this.#answer;
    if (this.#flowing && !this.#holding) body.resume();
    else body.pause();
  }

  #data(chunk: Buffer): void {
    this.#spoke = true;
    if (this.#exchange?.responseBody(chunk, 0, chunk.length) !== false) return;
    this.#flowing = false;
    this.#steer();
  }

  /** A provider that says nothing while somebody listens is given up. */
  #watch(): void {
    this.#silence = this.#guard.schedule(this.#answer.silenceMs, () => {
      if (!this.#spoke && this.#flowing && !this.#holding) return this.#fail('it has said nothing for too long');
      this.#spoke = false;
      this.#watch();
    });
  }

  #end(): void {
    const exchange = this.#exchange;
    this.#over();
    exchange?.responseEnd();
  }

  #fail(reason: string): void {
    const exchange = this.#exchange;
    this.#over();
    this.#answer.body.destroy();
    exchange?.upstreamFailed({
      upstream: null,
      error: fail(3004, { reason }),
      reason: 'upstream-closed',
      retry: 'none',
    });
  }

  #over(): void {
    this.#exchange = null;
    this.#silence?.cancel();
    this.#silence = null;
  }
}

/** What speaks of the provider's own name, and would be taken for the endpoint's: cookies, other ways to it. */
const OF_ITS_NAME: ReadonlySet<string> = new Set([
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
  'set-cookie',
  'strict-transport-security',
]);

function ofAnswers(sent: readonly string[]): RawFields {
  const fields: RawFields = [];
  for (let at = 0; at < sent.length; at += 2) {
    const name = sent[at] ?? '';
    if (!OF_ITS_NAME.has(name.toLowerCase())) fields.push(name, sent[at + 1] ?? '');
  }
  return fields;
}

function framingOf(status: number, fields: RawFields): Framing {
  if (hasNoBody(status)) return { kind: 'none' };
  const length = valueOf(fields, 'content-length');
  return length === undefined ? { kind: 'chunked' } : { kind: 'length', length: Number(length) };
}
