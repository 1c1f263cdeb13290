/**
 * One request that a policy makes: the downstream of an exchange of its own, which takes the pipeline's way as a forward
 * does, and collects the answer. No socket is behind it and none is opened for it. It ends once: with an answer, an error,
 * its deadline, or when the exchange whose policy made it is over; then it is taken out of everything that it is part of.
 */
import { fail, type PosternError } from '@postern/errors';
import { codingsOf, type InternalAddress, type OutgoingAnswer, type OutgoingRequest } from '@postern/policy';
import { MuxErrorCode, type MuxStream, type RawFields, type RequestHead } from '@postern/protocol';
import type { EdgeContext, TimerHandle } from '../../context.ts';
import { Guard } from '../../guard.ts';
import { callFields, textFields } from './call-fields.ts';
import { DecodedBody, type DecodedBodyOwner } from '../filters/decoded-body.ts';
import { Exchange, type Stages } from '../exchange/exchange.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { Downstream } from '../exchange/ports.ts';
import { valueOf } from '../exchange/fields.ts';
import type { KeptIndex } from '../client/kept.ts';
import type { HttpPolicyContext } from './views.ts';
import { type Caller, Requester } from '../exchange/requester.ts';

/** The pipeline, as a call enters it. */
export interface CallStages extends Stages {
  beginCall(exchange: Exchange, from: HttpPolicyContext, to: InternalAddress): void;
}

export type CallResult = OutgoingAnswer | PosternError;

export class InternalCall implements Downstream, DecodedBodyOwner {
  readonly carries = () => true;
  readonly guard: Guard;
  readonly #edge: EdgeContext;
  readonly #stages: CallStages;
  readonly #request: OutgoingRequest;
  readonly #url: URL;
  readonly #from: HttpPolicyContext;
  readonly #requester: Requester;
  readonly #done: (result: CallResult) => void;
  readonly #deadline: TimerHandle;
  readonly #callerGone: () => void;
  readonly #startedAt = performance.now();
  #exchange: Exchange | null = null;
  #given = false;
  #status = 0;
  #fields: RawFields = [];
  #decoded = false;
  #answer: DecodedBody | null = null;
  #over = false;

  /** @param done called once, perhaps before `start` returns */
  constructor(
    edge: EdgeContext,
    stages: CallStages,
    kept: KeptIndex,
    request: OutgoingRequest,
    from: HttpPolicyContext,
    caller: Caller,
    done: (result: CallResult) => void,
  ) {
    const { exchange, signal } = from;
    this.#edge = edge;
    this.#stages = stages;
    this.#request = request;
    this.#url = new URL(request.url);
    this.#from = from;
    this.#done = done;
    this.guard = new Guard(edge.faults, edge.wheel, 'a request of a policy', () => this.#settle(fail(90010)));
    const facts = {
      scheme: this.#url.protocol === 'http:' ? ('http' as const) : ('https' as const),
      conn: exchange.conn,
      clientAddr: exchange.requester.connection.clientAddr,
      ruledBy: null,
      fromTrustedProxy: false,
    };
    this.#requester = new Requester(edge, kept, facts, this.guard);
    this.#requester.caller = caller;
    this.#deadline = this.guard.schedule(request.timeoutMs, () => this.#settle(fail(3602)));
    this.#callerGone = this.guard.wrap(() => this.#settle(fail(3602)));
    signal.addEventListener('abort', this.#callerGone, { once: true });
  }

  start(): void {
    if (this.#over) return;
    const { method, body } = this.#request;
    const { host, pathname, search } = this.#url;
    const head: RequestHead = {
      minor: 1,
      method,
      target: pathname + search,
      authority: host,
      fields: callFields(this.#request, this.#requester.connection, host),
      framing: body.length === 0 ? { kind: 'none' } : { kind: 'length', length: body.length },
      keepAlive: true,
      upgrade: '',
      expectContinue: false,
    };
    this.#exchange = new Exchange(this.#requester, this, this.#stages, head, 'HTTP/1.1', this.#edge.now());
    this.#stages.beginCall(this.#exchange, this.#from, addressOf(this.#url));
  }

  // Downstream: the request's body.

  pause(): void {
    // All of it is here, and has been handed over at once.
  }

  resume(): void {
    const exchange = this.#exchange;
    if (this.#given || exchange === null || exchange.requestEnded || !exchange.takesBody) return;
    this.#given = true;
    const { body } = this.#request;
    exchange.requestBody(body, 0, body.length);
    exchange.requestEnd();
  }

  // Downstream: the answer.

  informational(): void {
    // Nobody waits for one.
  }

  head({ status, fields, framing }: ResponseDraft): void {
    this.#status = status;
    this.#fields = fields;
    const codings = codingsOf([valueOf(fields, 'content-encoding') ?? '']) ?? [];
    this.#decoded = codings.length > 0;
    this.#answer = new DecodedBody(codings, this.#request.limit, this);
    // What is announced to be too large need not come first.
    if (!this.#decoded && framing.kind === 'length' && framing.length > this.#request.limit) this.tooLarge();
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    return this.#answer?.write(chunk, start, end) ?? true;
  }

  trailers(): void {
    // Policies do not see them.
  }

  end(): void {
    this.#answer?.end();
  }

  switchProtocols(_reason: string, _fields: RawFields, stream: MuxStream): void {
    stream.reset(MuxErrorCode.streamCancelled);
    this.#settle(fail(3004, { reason: 'it changed the protocol, which nobody had asked for' }));
  }

  abort(): void {
    this.#settle(fail(3004, { reason: 'its answer broke off' }));
  }

  close(): void {
    this.#settle(fail(3004, { reason: 'the rules of the endpoint closed the connection without an answer' }));
  }

  refused(error: PosternError): void {
    this.#settle(error);
  }

  // What the body comes to.

  collected(body: Buffer): void {
    this.guard.run(() => {
      const headers = textFields(this.#fields, this.#decoded);
      this.#settle({ status: this.#status, headers, body, ms: performance.now() - this.#startedAt });
    });
  }

  tooLarge(): void {
    this.#settle(fail(3601, { max: this.#request.limit }));
  }

  undecodable(): void {
    this.#settle(fail(3004, { reason: 'its body is not encoded as its content-encoding says' }));
  }

  wantsMore(): void {
    this.guard.run(() => this.#exchange?.downstreamDrained());
  }

  #settle(result: CallResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline.cancel();
    this.#from.signal.removeEventListener('abort', this.#callerGone);
    this.#answer?.destroy();
    // Not within a callback of the stream that is closed by it.
    process.nextTick(this.guard.wrap(() => this.#part()));
    this.#done(result);
  }

  /** Whatever is under way is cancelled, and places at agents come back: no other request may use these streams. */
  #part(): void {
    try {
      this.#exchange?.visitorGone('client-gone');
    } finally {
      this.#requester.close();
    }
  }
}

function addressOf({ protocol, hostname, port, origin }: URL): InternalAddress {
  return protocol === 'http:'
    ? { scheme: 'http', host: hostname, port: port === '' ? 80 : Number(port), url: origin }
    : { scheme: 'https', host: hostname, port: port === '' ? 443 : Number(port), url: origin };
}
