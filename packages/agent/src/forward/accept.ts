import { MuxErrorCode, ProxyHeaderReader, ProxyPreambleParser } from '@postern/protocol';
import type { MuxStream, MuxStreamHandler, ProxyHeader } from '@postern/protocol';
import type { AgentLog, ForwardFunction, ListenOptions } from '../options.ts';
import { parseUpstream } from '../target.ts';
import type { UpstreamPlan } from './dial-upstream.ts';
import { Pipe, type PipeContext, type ProxiedConnection } from './pipe.ts';
import { StreamDuplex } from './stream-duplex.ts';
import { Watched } from './watched.ts';

export interface AcceptContext extends PipeContext {
  readonly log: AgentLog | undefined;
  /** Options of the listener with this Id; undefined = no such listener. */
  readonly listenerOf: (id: string) => ListenOptions | undefined;
  /**
   * A bind is under way, and its answer may name the Id that is not known yet: runs `retry` when it is settled. False
   * when there is nothing to wait for.
   */
  readonly waitForBinds: (retry: () => void) => boolean;
  /** A visitor's connection had come through this listener before: its upstream is the listener's own address. */
  readonly onCircle: (upstream: string) => void;
  /** Remembers a connection for {@link PipeContext.onDone}. */
  readonly onStart: (connection: ProxiedConnection) => void;
}

/**
 * Takes a proxied stream: reads its header (agent-protocol.md §6), then joins it to the listener's upstream. Sets
 * `stream.handler`.
 */
export function acceptProxied(stream: MuxStream, context: AcceptContext): void {
  stream.handler = new Acceptor(stream, context);
}

class Acceptor implements MuxStreamHandler {
  readonly #stream: MuxStream;
  readonly #context: AcceptContext;
  readonly #reader = new ProxyHeaderReader();

  constructor(stream: MuxStream, context: AcceptContext) {
    this.#stream = stream;
    this.#context = context;
  }

  onData(chunk: Buffer): void {
    let used: number;
    try {
      used = this.#reader.push(chunk);
    } catch {
      this.#stream.reset(MuxErrorCode.protocol);
      return;
    }
    const header = this.#reader.header;
    this.#stream.consume(header === undefined ? chunk.length : used);
    if (header === undefined) return;
    this.#join(header);
    if (used < chunk.length) this.#stream.handler.onData(chunk.subarray(used));
  }

  onEnd(): void {
    this.#stream.end();
  }

  onReset(): void {}

  onDrain(): void {}

  /** @param waited for connections of ours that are on their way */
  #join(header: ProxyHeader, waited = false): void {
    const options = this.#context.listenerOf(header.id);
    if (options === undefined) {
      this.#unknown(header);
      return;
    }
    if (typeof options.upstream === 'function') {
      const watched = Watched.of(options, header, (options.proxyProto ?? 0) > 0, this.#context.log);
      const duplex = new StreamDuplex(this.#stream, header.clientAddr, watched);
      this.#stream.handler = duplex;
      this.#context.onStart(duplex);
      duplex.once('close', () => {
        watched?.over();
        this.#context.onDone(duplex);
      });
      serve(options.upstream, duplex, header);
      return;
    }
    const bytes = header.proto === 'tcp' || header.proto === 'tls';
    if (bytes && !waited && this.#context.circles.undecided(header.clientAddr)) {
      this.#nextTurn(header);
      return;
    }
    const address = parseUpstream(options.upstream);
    const secure = (address.scheme === 'https' || address.scheme === 'tls') && !header.passthroughTls;
    const trail = bytes ? this.#context.circles.enter(header.clientAddr, header.id) : undefined;
    if (trail === null) {
      this.#context.onCircle(options.upstream);
      this.#stream.reset(MuxErrorCode.streamRefused);
      return;
    }
    const proxied = (options.proxyProto ?? 0) > 0;
    const watched = Watched.of(options, header, proxied && !secure, this.#context.log);
    const plan: UpstreamPlan = { address, secure, options, trail, watched };
    if (secure && proxied) {
      this.#stream.handler = new BehindPreamble(this.#stream, plan, this.#context);
      return;
    }
    join(this.#stream, plan, this.#context);
  }

  #nextTurn(header: ProxyHeader): void {
    const held = new Held(this.#stream);
    this.#stream.handler = held;
    setImmediate(() => {
      if (this.#stream.closed) return;
      this.#join(header, true);
      held.replay(this.#stream.handler);
    });
  }

  /** A visitor can be faster than the answer to the bind; otherwise both official agents end the stream at once. */
  #unknown(header: ProxyHeader): void {
    const held = new Held(this.#stream);
    this.#stream.handler = held;
    const waiting = this.#context.waitForBinds(() => {
      if (this.#stream.closed) return;
      if (this.#context.listenerOf(header.id) === undefined) {
        held.drop();
        return;
      }
      this.#join(header);
      held.replay(this.#stream.handler);
    });
    if (!waiting) held.drop();
  }
}

/** Code of the owner's: what it throws costs this connection only. */
function serve(upstream: ForwardFunction, duplex: StreamDuplex, header: ProxyHeader): void {
  try {
    upstream(duplex, { clientAddr: header.clientAddr, proto: header.proto });
  } catch (error) {
    duplex.on('error', () => {});
    duplex.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function join(stream: MuxStream, plan: UpstreamPlan, context: AcceptContext, preamble?: Buffer): void {
  const pipe = new Pipe(stream, plan, context, preamble);
  context.onStart(pipe);
  stream.handler = pipe;
}

/** Collects the PROXY header that must reach a TLS upstream in the clear. */
class BehindPreamble implements MuxStreamHandler {
  readonly #stream: MuxStream;
  readonly #plan: UpstreamPlan;
  readonly #context: AcceptContext;
  readonly #parser = new ProxyPreambleParser();
  readonly #seen: Buffer[] = [];

  constructor(stream: MuxStream, plan: UpstreamPlan, context: AcceptContext) {
    this.#stream = stream;
    this.#plan = plan;
    this.#context = context;
  }

  onData(chunk: Buffer): void {
    const result = this.#parser.push(chunk);
    if (result.kind === 'invalid') {
      this.#stream.reset(MuxErrorCode.protocol);
      this.#plan.watched?.over();
      return;
    }
    const used = result.kind === 'done' ? result.used : chunk.length;
    this.#seen.push(Buffer.from(chunk.subarray(0, used)));
    this.#stream.consume(used);
    if (result.kind === 'more') return;
    join(this.#stream, this.#plan, this.#context, Buffer.concat(this.#seen));
    if (used < chunk.length) this.#stream.handler.onData(chunk.subarray(used));
  }

  onEnd(): void {
    this.#stream.end();
    this.#plan.watched?.over();
  }

  onReset(): void {
    this.#plan.watched?.over();
  }

  onDrain(): void {}
}

/** Keeps what comes, at most one window of it, until it is known whose it is; or drops it. */
class Held implements MuxStreamHandler {
  readonly #stream: MuxStream;
  #chunks: Buffer[] = [];
  #ended = false;
  #dropping = false;

  constructor(stream: MuxStream) {
    this.#stream = stream;
  }

  drop(): void {
    this.#dropping = true;
    for (const chunk of this.#chunks.splice(0)) this.#stream.consume(chunk.length);
    this.#stream.end();
  }

  replay(handler: MuxStreamHandler): void {
    for (const chunk of this.#chunks.splice(0)) handler.onData(chunk);
    if (this.#ended) handler.onEnd();
  }

  onData(chunk: Buffer): void {
    if (this.#dropping) this.#stream.consume(chunk.length);
    else this.#chunks.push(Buffer.from(chunk));
  }

  onEnd(): void {
    this.#ended = true;
  }

  onReset(): void {
    this.#chunks = [];
  }

  onDrain(): void {}
}
