/** Holds a session to its promises: the order of what it tells, and what it may say itself. */
import { createMuxSession, type MuxSession, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { must } from './target.ts';

const LARGEST_FRAME = 16_384;

/** What the owner of one stream was told. */
export class WatchedStream implements MuxStreamHandler {
  stream: MuxStream | null = null;
  readonly data: Buffer[] = [];
  ended = false;
  resetWith: number | null = null;
  readonly #consumes: boolean;

  constructor(consumes: boolean) {
    this.#consumes = consumes;
  }

  onData(chunk: Buffer): void {
    must(chunk.length > 0, 'an empty piece of data');
    must(!this.ended && this.resetWith === null, 'data after the end of a stream');
    this.data.push(Buffer.from(chunk));
    if (this.#consumes) this.stream?.consume(chunk.length);
  }

  onEnd(): void {
    must(!this.ended && this.resetWith === null, 'a second end of a stream');
    this.ended = true;
  }

  onReset(code: number): void {
    must(this.resetWith === null, 'a second reset of a stream');
    must(this.stream === null || !this.stream.writable, 'a stream that was reset and is writable');
    this.resetWith = code;
  }

  onDrain(): void {
    must(this.resetWith === null, 'a drain after a reset');
  }

  get text(): string {
    const data = Buffer.concat(this.data).toString('latin1');
    return `${this.stream?.type}:${data}${this.ended ? ' end' : ''}${this.resetWith === null ? '' : ` reset ${this.resetWith}`}`;
  }
}

export class WatchedSession {
  readonly session: MuxSession;
  readonly accepted: WatchedStream[] = [];
  readonly opened: WatchedStream[] = [];
  ends: number[] = [];
  /** The owner asked for GOAWAY. */
  goingAway = false;
  /** Bytes that the session sent. */
  said = 0;
  #announced = false;
  #goneAway = false;
  readonly #role: 'client' | 'server';

  /** @param onStream takes the stream over instead of a watch of ours; a session's limits are its defaults */
  constructor(
    role: 'client' | 'server',
    options: { readonly consumes: boolean; readonly onStream?: (stream: MuxStream) => boolean },
  ) {
    this.#role = role;
    this.session = createMuxSession(
      { role },
      {
        onStream: (stream) => {
          must(this.ends.length === 0, 'a stream after the end of the session');
          if (options.onStream?.(stream) === true) return;
          const watched = new WatchedStream(options.consumes);
          watched.stream = stream;
          stream.handler = watched;
          this.accepted.push(watched);
        },
        onOutput: () => (this.#announced = true),
        onEnd: (code) => {
          this.ends.push(code);
          must(this.ends.length === 1, 'a second end of the session');
          must(this.session.streamCount === 0, 'streams after the end of the session');
        },
      },
    );
  }

  /** Takes all that the session wants to send, and judges it frame by frame. */
  drain(): void {
    const parts: Buffer[] = [];
    for (let pulls = 0; ; pulls++) {
      must(pulls < 10_000, 'a session that never has said everything');
      const bytes = this.session.pull();
      if (bytes === undefined) break;
      must(this.#announced, 'output that was not announced');
      parts.push(Buffer.from(bytes));
      this.session.release(bytes);
    }
    this.#announced = false;
    const all = Buffer.concat(parts);
    this.said += all.length;
    this.#judge(all);
  }

  /** Everything that was told so far, for comparison. */
  get account(): unknown {
    return { streams: this.accepted.map((one) => one.text), ends: this.ends };
  }

  #judge(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      must(!this.#goneAway, 'a frame after GOAWAY');
      must(bytes.length - at >= 8, 'half a frame');
      const length = bytes.readUIntBE(at, 3);
      const type = bytes.readUInt8(at + 3) >> 4;
      const flags = bytes.readUInt8(at + 3) & 15;
      const id = bytes.readUInt32BE(at + 4);
      must(type <= 3 && length + 8 <= LARGEST_FRAME && at + 8 + length <= bytes.length, 'a malformed frame of ours');
      if (type === 0 || type === 2)
        must(length === 4 && id > 0 && id <= 0x7fffffff, 'a malformed RST or WNDINC of ours');
      if (type === 2) must(bytes.readUInt32BE(at + 8) > 0, 'a grant of nothing');
      if (type === 1 && (flags & 2) !== 0)
        must(id % 2 === (this.#role === 'client' ? 1 : 0), 'a SYN with an id of the peer');
      if (type === 3) this.#goneAway = true;
      at += 8 + length;
    }
  }
}
