/**
 * Between a visitor's WebSocket and a service that wants the bytes of its messages: an agent's stream as whoever pipes the
 * visitor's socket sees it, with frames on the visitor's side and plain bytes on the agent's. Both sides' backpressure goes
 * through: what was written here waits in the agent's stream, and the service gets credit when the frame has left.
 *
 * An end becomes a close frame, and a close frame an end: a WebSocket has no half of it, so who closes hears no more.
 */
import {
  MuxErrorCode,
  type MuxStream,
  type MuxStreamHandler,
  webSocketClose,
  WebSocketCloseCode,
  webSocketFrameHead,
  WebSocketFrameReader,
  type WebSocketFrameSink,
  WebSocketOpcode,
} from '@postern/protocol';

/** As long as so many bytes wait for the visitor, no pong joins them: the latest ping is answered later (RFC 6455 §5.5.3). */
const PONGS_BELOW = 16_384;
/** Frames of so many bytes together are counted as one: a service may write a quarter of a million of one byte each. */
const GROUP_BYTES = 4_096;

export class WebSocketStream implements MuxStream, MuxStreamHandler, WebSocketFrameSink {
  /** The visitor's side. */
  handler: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };
  readonly #agent: MuxStream;
  readonly #reader = new WebSocketFrameReader(this);
  /** Bytes on their way to the visitor: those of some frames, and the service's in them. */
  readonly #groups: { size: number; left: number; payload: number }[] = [];
  #waiting = 0;
  /** What a ping held that could not be answered yet. */
  #ping: Buffer | null = null;
  /** A close frame has been written: nothing follows it. */
  #closed = false;
  /** Whether the chunk under way is the caller's, and whether the agent takes more behind it. */
  #shared = false;
  #takes = true;

  /** @param agent its handler becomes this */
  constructor(agent: MuxStream) {
    this.#agent = agent;
    agent.handler = this;
  }

  get id(): number {
    return this.#agent.id;
  }

  get type(): number {
    return this.#agent.type;
  }

  get context(): unknown {
    return this.#agent.context;
  }

  get narrow(): boolean {
    return this.#agent.narrow;
  }

  set narrow(value: boolean) {
    this.#agent.narrow = value;
  }

  get queued(): number {
    return this.#agent.queued;
  }

  get unsent(): number {
    return this.#agent.unsent;
  }

  get writable(): boolean {
    return this.#agent.writable;
  }

  get closed(): boolean {
    return this.#agent.closed;
  }

  // From the visitor.

  write(chunk: Buffer): boolean {
    return this.#read(chunk, false);
  }

  writeShared(chunk: Buffer): boolean {
    return this.#read(chunk, true);
  }

  #read(chunk: Buffer, shared: boolean): boolean {
    if (this.#reader.failure !== 0) return true;
    this.#shared = shared;
    this.#takes = true;
    this.#reader.push(chunk);
    if (this.#reader.failure !== 0) this.#fail(this.#reader.failure, MuxErrorCode.streamCancelled);
    return this.#takes;
  }

  onPayload(chunk: Buffer): void {
    if (!this.#agent.writable) return;
    this.#takes = this.#shared ? this.#agent.writeShared(chunk) : this.#agent.write(chunk);
  }

  onPing(payload: Buffer): void {
    this.#ping = payload;
    this.#pong();
  }

  onClose(code: number): void {
    this.#close(code);
    this.#agent.end();
  }

  /** The visitor's FIN, with or without a close frame before it. */
  end(): void {
    if (this.#reader.within) this.#agent.reset(MuxErrorCode.streamCancelled);
    else this.#agent.end();
  }

  reset(code: number): void {
    this.#agent.reset(code);
  }

  resetBehind(code: number): void {
    this.#agent.resetBehind(code);
  }

  /** @param n bytes of frames that the visitor's socket has taken */
  consume(n: number): void {
    this.#waiting -= n;
    let credit = 0;
    for (let [group] = this.#groups; group !== undefined && n > 0; [group] = this.#groups) {
      const taken = Math.min(n, group.left);
      group.left -= taken;
      n -= taken;
      if (group.left > 0) break;
      credit += group.payload;
      this.#groups.shift();
    }
    if (credit > 0) this.#agent.consume(credit);
    this.#pong();
  }

  // From the service.

  onData(chunk: Buffer): void {
    if (this.#closed) {
      this.#agent.consume(chunk.length);
      return;
    }
    const head = webSocketFrameHead(WebSocketOpcode.binary, chunk.length);
    this.#send(head.length + chunk.length, chunk.length);
    this.handler.onData(head);
    this.handler.onData(chunk);
  }

  onEnd(): void {
    this.#close(WebSocketCloseCode.normal);
  }

  onReset(code: number): void {
    const away = code === MuxErrorCode.sessionClosed || code === MuxErrorCode.peerEof;
    this.#fail(away ? WebSocketCloseCode.goingAway : WebSocketCloseCode.internal, code);
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onFault(): void {
    this.handler.onFault?.();
  }

  // To the visitor.

  #pong(): void {
    const payload = this.#ping;
    if (payload === null || this.#closed || this.#waiting > PONGS_BELOW) return;
    this.#ping = null;
    const frame = Buffer.concat([webSocketFrameHead(WebSocketOpcode.pong, payload.length), payload]);
    this.#send(frame.length, 0);
    this.handler.onData(frame);
  }

  #send(size: number, payload: number): void {
    this.#waiting += size;
    const last = this.#groups.at(-1);
    if (last === undefined || last.size + size > GROUP_BYTES) {
      this.#groups.push({ size, left: size, payload });
      return;
    }
    last.size += size;
    last.left += size;
    last.payload += payload;
  }

  #close(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    const frame = webSocketClose(code);
    this.#send(frame.length, 0);
    this.handler.onData(frame);
    this.handler.onEnd();
  }

  /** The visitor is told why, has a moment to read it, and the service is not to take what it has for all. */
  #fail(closeCode: number, reset: number): void {
    this.#close(closeCode);
    this.#agent.reset(reset);
    this.handler.onReset(MuxErrorCode.streamClosed);
  }
}
