import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { badGateway } from './bad-gateway.ts';
import type { Circles } from './circles.ts';
import type { UpstreamPlan } from './dial-upstream.ts';
import { type ConnectionUser, ServiceConnection } from './service-connection.ts';
import type { ServicePool } from './service-pool.ts';

/** A visitor's connection that is being served. */
export interface ProxiedConnection {
  destroy(): void;
}

/** What all pipes share. */
export interface PipeContext {
  readonly circles: Circles;
  /** Of all connections to the server. */
  readonly pool: ServicePool;
  /** A connection is over. */
  readonly onDone: (connection: ProxiedConnection) => void;
  /** The upstream could not be reached. */
  readonly onDialFailure: (plan: UpstreamPlan, reason: string) => void;
}

/**
 * One proxied stream joined to one upstream connection: bytes both ways, each side's speed bounded by the other's
 * reader, and each direction ended by itself.
 */
export class Pipe implements MuxStreamHandler, ProxiedConnection, ConnectionUser {
  readonly #stream: MuxStream;
  readonly #plan: UpstreamPlan;
  readonly #context: PipeContext;
  #connection: ServiceConnection;
  /** Dialling failed, and a 502 was the answer: what the visitor still sends is dropped. */
  #refused = false;
  /**
   * The request that was sent over a connection which others had before: the service may close it in that very moment,
   * and then it is sent once more over one of its own. Gone when something follows it.
   */
  #again: Buffer | undefined = undefined;
  #sent = false;
  /** The visitor sends nothing more. */
  #ended = false;

  /**
   * @param preamble what must reach a TLS upstream before TLS does
   * @param first what `onData` will get first, when it may be sent twice (repeatable.ts)
   */
  constructor(stream: MuxStream, plan: UpstreamPlan, context: PipeContext, preamble?: Buffer, first?: Buffer) {
    this.#stream = stream;
    this.#plan = plan;
    this.#context = context;
    const kept = first === undefined || plan.shared !== true ? undefined : context.pool.take(plan.options);
    if (kept === undefined) {
      if (plan.shared === true) context.pool.makeRoom(plan.options);
      this.#connection = this.#dial(preamble);
      return;
    }
    this.#connection = kept;
    kept.user = this;
    kept.reader.attach(stream, plan.watched);
    // The view is valid for this call only.
    if (first !== undefined) this.#again = Buffer.from(first);
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#stream.reset(MuxErrorCode.streamCancelled);
    this.#connection.cut();
  }

  onDrain(): void {
    this.#connection.socket.resume();
  }

  /** What the visitor sent. */
  onData(chunk: Buffer): void {
    const { socket, writer } = this.#connection;
    this.#plan.watched?.fromVisitor(chunk);
    if (this.#refused || socket.destroyed) return this.#stream.consume(chunk.length);
    if (this.#sent) this.#again = undefined;
    this.#sent = true;
    writer.write(chunk);
  }

  onEnd(): void {
    this.#ended = true;
    if (!this.#refused) this.#connection.writer.end();
  }

  onReset(code: number): void {
    const connection = this.#connection;
    if (code !== MuxErrorCode.released) return connection.cut();
    if (this.#plan.shared !== true || this.#refused || !connection.quiet) {
      connection.socket.destroySoon();
      return;
    }
    this.#context.pool.keep(this.#plan.options, connection);
    this.#over();
  }

  // ConnectionUser.

  written(n: number): void {
    this.#stream.consume(n);
  }

  ended(): void {
    if (!this.#dialAnew()) this.#stream.end();
  }

  failed(error: Error): void {
    if (this.#dialAnew()) return;
    if (this.#connection.connected) {
      this.#stream.reset(MuxErrorCode.internal);
      return;
    }
    this.#refused = true;
    // Who still sends would wait for ever for credit.
    this.#stream.consume(this.#connection.writer.pending);
    this.#connection.writer.drop();
    const reason = describe(error);
    this.#context.onDialFailure(this.#plan, reason);
    const { scheme } = this.#plan.address;
    if (scheme !== 'http' && scheme !== 'https') return this.#stream.end();
    const answer = badGateway(this.#plan.address, reason);
    this.#plan.watched?.fromService(answer);
    this.#stream.end(answer);
  }

  closed(): void {
    if (this.#dialAnew()) return;
    // A clean close has ended both directions; anything else must not look like one.
    if (!this.#refused && !this.#stream.closed && this.#stream.writable) this.#stream.reset(MuxErrorCode.internal);
    this.#over();
  }

  #over(): void {
    this.#plan.watched?.over();
    this.#context.onDone(this);
  }

  #dial(preamble?: Buffer): ServiceConnection {
    const plan = this.#plan;
    const connection = new ServiceConnection(plan, this, preamble, (chunk) => this.#read(chunk));
    connection.reader.attach(this.#stream, plan.watched);
    // Before TLS of ours, if any: the edge opens the next stream at its ClientHello.
    if (plan.trail !== undefined) this.#context.circles.dial(connection.socket, plan.address.port, plan.trail);
    return connection;
  }

  /** The service has closed a connection that others had before. @returns whether the request goes over a new one */
  #dialAnew(): boolean {
    const again = this.#again;
    this.#again = undefined;
    if (again === undefined || this.#stream.closed || !this.#connection.reader.unread) return false;
    const before = this.#connection;
    before.user = NOBODY;
    before.writer.drop();
    before.socket.destroy();
    this.#connection = this.#dial();
    const { writer } = this.#connection;
    writer.write(again);
    if (this.#ended) writer.end();
    return true;
  }

  /** What the upstream sent, in a buffer of its own. */
  #read(chunk: Buffer): void {
    this.#plan.watched?.fromService(chunk);
    if (!this.#stream.write(chunk)) this.#connection.full();
  }
}

const NOBODY: ConnectionUser = { written() {}, ended() {}, failed() {}, closed() {} };

/** Node joins the failures of several addresses into one error without words. */
function describe(error: Error): string {
  if (error instanceof AggregateError) {
    const reasons = error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each)));
    if (reasons.length > 0) return reasons.join(', ');
  }
  return error.message;
}
