/**
 * `on_event_stream_message` of one endpoint over one event stream: each message is judged with a budget of its own, and a
 * stream whose messages take long waits for its turns.
 */
import {
  BUDGET,
  type CompiledPhase,
  type ConnView,
  type EndpointView,
  type EventBlock,
  type EventView,
  type Outcome,
  type PolicyContext,
  type PolicyServices,
  type RequestView,
  type ResponseView,
} from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import type { BodyOwner } from '../exchange/body-room.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { MessageRules } from '../filters/event-rules.ts';

/** Of one message: characters that its searches may read. A field of the largest size is read eight times. */
const MESSAGE_EFFORT = 8 * 1024 * 1024;
/** Units of work (10 ns) that messages may take in one turn of the loop. */
const AT_ONCE = 50_000;
/** What a message costs without rules. */
const A_MESSAGE = 200;
/** Characters that are read in a unit. */
const CHARACTERS = 3;
/** When there is no place in line. */
const ASK_AGAIN_MS = 50;

export class StreamRules implements MessageRules {
  readonly #phase: CompiledPhase;
  readonly #context: MessageContext;
  readonly #exchange: Exchange;
  readonly #edge: EdgeContext;
  readonly #owner: BodyOwner;
  #reserved = 0;
  #spent = 0;

  constructor(edge: EdgeContext, exchange: Exchange, phase: CompiledPhase, context: PolicyContext) {
    this.#edge = edge;
    this.#exchange = exchange;
    this.#phase = phase;
    this.#context = new MessageContext(context);
    this.#owner = { network: exchange.requester.network, endpointId: context.endpoint.id };
  }

  judge(block: EventBlock): Outcome | Promise<Outcome> {
    const context = this.#context;
    context.event = block;
    context.work.unitsLeft = BUDGET;
    context.work.effortLeft = MESSAGE_EFFORT;
    const outcome = this.#phase.start(context).next();
    const { unitsLeft, effortLeft } = context.work;
    this.#spent += A_MESSAGE + BUDGET - unitsLeft + (MESSAGE_EFFORT - effortLeft) / CHARACTERS;
    // What is waited for has turns of its own.
    if (outcome instanceof Promise) this.#spent = 0;
    return outcome;
  }

  get rested(): boolean {
    return this.#spent < AT_ONCE;
  }

  rest(then: () => void): void {
    void this.#rest(then).catch((error: unknown) => this.fault(error));
  }

  async #rest(then: () => void): Promise<void> {
    const { services, endpoint, conn, signal } = this.#context;
    const { guard } = this.#exchange.requester;
    const asker = { endpoint: endpoint.id, address: conn.clientIp };
    const came = await services.slices.run(asker, () => true, signal);
    this.#spent = 0;
    if (came === 'done') guard.run(then);
    else if (came === 'busy') guard.schedule(ASK_AGAIN_MS, () => this.rest(then));
  }

  reserve(bytes: number): boolean {
    if (!this.#edge.bodies.take(this.#owner, bytes)) return false;
    this.#reserved += bytes;
    return true;
  }

  giveBack(): void {
    if (this.#reserved > 0) this.#edge.bodies.give(this.#owner, this.#reserved);
    this.#reserved = 0;
  }

  warn(reason: string): void {
    this.#context.warn(reason);
  }

  fault(error: unknown): void {
    this.#exchange.requester.guard.fault(error);
  }
}

/** The context of the answer, and a message. */
class MessageContext implements PolicyContext {
  readonly services: PolicyServices;
  readonly strict: boolean;
  readonly conn: ConnView;
  readonly endpoint: EndpointView;
  readonly req: RequestView | null;
  readonly res: ResponseView | null;
  readonly tlsTermination = null;
  readonly work = { unitsLeft: 0, effortLeft: 0 };
  readonly responseVars: Map<string, unknown> | null;
  results: Map<string, unknown> | null;
  event: EventView | null = null;
  readonly #of: PolicyContext;

  constructor(of: PolicyContext) {
    this.#of = of;
    this.services = of.services;
    this.strict = of.strict === true;
    this.conn = of.conn;
    this.endpoint = of.endpoint;
    this.req = of.req;
    this.res = of.res;
    this.responseVars = of.responseVars;
    this.results = of.results;
  }

  get signal(): AbortSignal {
    return this.#of.signal;
  }

  now(): number {
    return this.#of.now();
  }

  random(): number {
    return this.#of.random();
  }

  warn(message: string): void {
    this.#of.warn(message);
  }
}
