/** A client of HTTP/2 that sends the frames it is given and tells what became of each stream. */
import type net from 'node:net';
import {
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  frame,
  PREFACE,
  settings,
  statusOf,
  windowUpdate,
} from './h2-wire.ts';
import { PATIENCE_MS } from '../until.ts';
import { dial, type Door } from './raw-client.ts';

export interface StreamState {
  /** 0 = no head yet. */
  status: number;
  /** latin1 */
  body: string;
  ended: boolean;
  /** Error code of RST_STREAM; null = none came. */
  reset: number | null;
}

const HEADER_TABLE_SIZE = 1;
const WINDOW = 0x100000;

export class H2Client {
  readonly socket: net.Socket;
  readonly #reader = new FrameReader();
  readonly #streams = new Map<number, StreamState>();
  readonly #waiting = new Set<() => void>();
  #goAway: number | null = null;
  #closed = false;
  #block: Buffer = Buffer.alloc(0);

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const one of this.#reader.push(chunk)) this.#take(one);
      this.#told();
    });
    const over = (): void => {
      this.#closed = true;
      this.#told();
    };
    socket.on('end', over);
    socket.on('close', over);
  }

  /** Connects and sends preface and settings. Answers to SETTINGS and PING are not sent unless a test does. */
  static async connect(door: Door): Promise<H2Client> {
    const client = new H2Client(await dial(door));
    client.socket.write(Buffer.concat([PREFACE, settings([HEADER_TABLE_SIZE, 0]), windowUpdate(0, WINDOW)]));
    return client;
  }

  /** Error code of GOAWAY; null = none came. */
  get goAway(): number | null {
    return this.#goAway;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  stream(id: number): StreamState {
    let state = this.#streams.get(id);
    if (state === undefined) this.#streams.set(id, (state = { status: 0, body: '', ended: false, reset: null }));
    return state;
  }

  /** Resolves when the stream is over, or the connection is; false when neither happens in time. */
  async over(id: number, milliseconds = PATIENCE_MS): Promise<boolean> {
    return this.#until(() => {
      const { ended, reset } = this.stream(id);
      return ended || reset !== null || this.#closed;
    }, milliseconds);
  }

  /** Resolves when the server has ended the connection; false when it does not in time. */
  async end(milliseconds = PATIENCE_MS): Promise<boolean> {
    return this.#until(() => this.#closed, milliseconds);
  }

  close(): void {
    this.socket.destroy();
  }

  async #until(so: () => boolean, milliseconds: number): Promise<boolean> {
    const patience = { over: false };
    const timer = setTimeout(() => {
      patience.over = true;
      this.#told();
    }, milliseconds);
    while (!so() && !patience.over) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    clearTimeout(timer);
    return so();
  }

  #told(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #take({ type, flags, stream: id, payload }: Frame): void {
    switch (type) {
      case FrameType.settings:
        if ((flags & Flag.ack) === 0) this.send(frame(FrameType.settings, Flag.ack, 0));
        break;
      case FrameType.headers:
      case FrameType.continuation: {
        this.#block = type === FrameType.headers ? payload : Buffer.concat([this.#block, payload]);
        const state = this.stream(id);
        if ((flags & Flag.endHeaders) !== 0) {
          const status = statusOf(this.#block);
          if (status >= 200) state.status = status;
        }
        if (type === FrameType.headers && (flags & Flag.endStream) !== 0) state.ended = true;
        break;
      }
      case FrameType.data: {
        const state = this.stream(id);
        state.body += payload.toString('latin1');
        if ((flags & Flag.endStream) !== 0) state.ended = true;
        if (payload.length > 0) this.send(windowUpdate(0, payload.length));
        break;
      }
      case FrameType.resetStream:
        this.stream(id).reset = payload.readUInt32BE(0);
        break;
      case FrameType.goAway:
        this.#goAway = payload.readUInt32BE(4);
        break;
      default:
    }
  }
}
