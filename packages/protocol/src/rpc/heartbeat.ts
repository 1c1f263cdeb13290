import { MuxErrorCode, type MuxSession, type MuxStream, type MuxStreamHandler } from '../mux/types.ts';
import { StreamType } from './types.ts';

const BEAT_BYTES = 4;

/** What a beat carries, as a number: an idle session keeps no buffer. */
function beatOf(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(BEAT_BYTES);
  bytes.writeInt32BE(value);
  return bytes;
}

/**
 * The answering side of a heartbeat stream (agent-protocol.md §3.1): every 4 bytes go back as one frame, also before
 * Auth. Sets `stream.handler`.
 */
export function echoHeartbeats(stream: MuxStream, onBeat?: () => void): void {
  stream.handler = new Echo(stream, onBeat);
}

class Echo implements MuxStreamHandler {
  readonly #stream: MuxStream;
  readonly #onBeat: (() => void) | undefined;
  #beat = 0;
  #fill = 0;

  constructor(stream: MuxStream, onBeat: (() => void) | undefined) {
    this.#stream = stream;
    this.#onBeat = onBeat;
  }

  onData(chunk: Buffer): void {
    this.#stream.consume(chunk.length);
    for (const byte of chunk) {
      this.#beat = (this.#beat << 8) | byte;
      this.#fill += 1;
      if (this.#fill < BEAT_BYTES) continue;
      this.#fill = 0;
      // A peer that beats and does not read its echoes must not make the queue grow.
      if (this.#stream.queued > 4096) return this.#stream.reset(MuxErrorCode.enhanceYourCalm);
      this.#stream.write(beatOf(this.#beat));
      this.#onBeat?.();
    }
  }

  onEnd(): void {
    this.#stream.end();
  }

  onReset(): void {}

  onDrain(): void {}
}

export interface HeartbeatOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A random unsigned 32-bit integer. */
  readonly random32: () => number;
  /** A beat came back after so many milliseconds. */
  readonly onLatency: (ms: number) => void;
  /** The other side broke the echo (wrong bytes, end or reset); no more beats are sent. */
  readonly onBroken: (reason: string) => void;
}

/** The asking side. It never sends FIN, which makes one family of agents spin (agent-protocol.md §0, rule 9). */
export interface Heartbeat {
  /** Sends a beat unless one is under way. */
  beat(): void;
  /** When the unanswered beat was sent, in the clock of `now`; undefined when none is. */
  readonly waitingSince: number | undefined;
  /** Resets the stream. */
  stop(): void;
}

/** Opens a heartbeat stream on `session`; the caller calls {@link Heartbeat.beat} at its interval. */
export function openHeartbeat(session: MuxSession, options: HeartbeatOptions): Heartbeat {
  return new Beater(session, options);
}

class Beater implements Heartbeat, MuxStreamHandler {
  waitingSince: number | undefined = undefined;
  readonly #options: HeartbeatOptions;
  readonly #session: MuxSession;
  /** Opened with the first beat, so that type and beat leave together. */
  #stream: MuxStream | undefined = undefined;
  #expected = 0;
  #fill = 0;
  #over = false;

  constructor(session: MuxSession, options: HeartbeatOptions) {
    this.#session = session;
    this.#options = options;
  }

  beat(): void {
    if (this.#over || this.waitingSince !== undefined || this.#session.ended) return;
    this.#expected = this.#options.random32() | 0;
    this.#fill = 0;
    this.waitingSince = this.#options.now();
    const bytes = beatOf(this.#expected);
    if (this.#stream !== undefined) {
      this.#stream.write(bytes);
      return;
    }
    try {
      this.#stream = this.#session.open(StreamType.heartbeat, this, bytes);
    } catch {
      this.#break('the session takes no more streams');
    }
  }

  stop(): void {
    this.#over = true;
    this.#stream?.reset(MuxErrorCode.streamCancelled);
  }

  onData(chunk: Buffer): void {
    this.#stream?.consume(chunk.length);
    for (const byte of chunk) {
      if (this.#over) return;
      const due = (this.#expected >>> (8 * (BEAT_BYTES - 1 - this.#fill))) & 0xff;
      if (this.waitingSince === undefined || byte !== due) {
        this.#stream?.reset(MuxErrorCode.protocol);
        return this.#break('the other side echoed something else');
      }
      this.#fill += 1;
      if (this.#fill === BEAT_BYTES) {
        const latency = this.#options.now() - this.waitingSince;
        this.waitingSince = undefined;
        this.#options.onLatency(latency);
      }
    }
  }

  onEnd(): void {
    this.#stream?.reset(MuxErrorCode.streamCancelled);
    this.#break('the other side ended the heartbeat stream');
  }

  onReset(code: number): void {
    this.#break(`the heartbeat stream was reset with code ${code}`);
  }

  onDrain(): void {}

  #break(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onBroken(reason);
  }
}
