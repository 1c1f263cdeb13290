import type { Pieces } from './blocks.ts';

/** One direction of an exchange. The bytes are those of the wire, from the first of its head on. */
export interface Capture {
  readonly pieces: Pieces;
  /** Bytes that passed, of the whole message as it is on the wire. */
  wireBytes: number;
  /** Of them, what was kept. */
  keptBytes: number;
}

/** What became of an exchange. */
export type Outcome =
  /** Under way. */
  | 'open'
  | 'done'
  /** The connection ended before the response did. */
  | 'cut'
  /** It went on in another protocol, and that is over. */
  | 'switched'
  /** What passed is no HTTP/1, or broke its rules: only bytes are there. */
  | 'unreadable';

/** One frame of a WebSocket, event of an event stream, message of gRPC, or the trailers of an HTTP/2 message. */
export interface Message {
  readonly kind: 'frame' | 'event' | 'grpc' | 'trailers';
  readonly exchange: Exchange;
  readonly number: number;
  /** Milliseconds since the exchange began. */
  readonly at: number;
  readonly fromVisitor: boolean;
  /** Of frames; of gRPC 1 where it is compressed. */
  readonly opcode: number;
  readonly final: boolean;
  /** Frames only: its payload is deflated (RFC 7692). */
  readonly deflated: boolean;
  /** Of the payload, as it passed. */
  bytes: number;
  /** Of them, what was kept. */
  keptBytes: number;
  readonly pieces: Pieces;
  evicted: boolean;
}

/**
 * A request and its answer, as they pass. Only numbers and bytes: words are read from the bytes when somebody looks.
 * What has made room is used again for another, so whoever waits for something keeps the number, not the object.
 */
export interface Exchange {
  number: number;
  tunnel: string;
  clientAddr: string;
  /** Unix milliseconds of its first byte. */
  startedAt: number;
  /** Monotonic milliseconds of the same moment. */
  since: number;
  readonly request: Capture;
  readonly response: Capture;
  /** Its request's head is whole; before, nobody is shown it. */
  listed: boolean;
  /** Milliseconds since it began; -1 = not yet. */
  requestEnd: number;
  firstByte: number;
  end: number;
  /** 0 = no answer yet. */
  status: number;
  outcome: Outcome;
  /** Number of the exchange that this one repeats; 0 = none. */
  replayOf: number;
  messages: Message[];
  /** Messages that there were. */
  messageCount: number;
  /** Its bytes are gone, and nothing more is kept. */
  evicted: boolean;
  /** Pieces that it had when it was kept over its turn, because it was still open; 0 = it was not. */
  pinned: number;
}

/** A number as ids are written: 16 hexadecimal digits, no two alike over restarts. */
export class Ids {
  readonly #prefix: string;

  /** @param random in [0, 1) */
  constructor(random: () => number) {
    this.#prefix = Math.floor(random() * 0x1_00_00_00_00)
      .toString(16)
      .padStart(8, '0');
  }

  idOf(number: number): string {
    return `${this.#prefix}${number.toString(16).padStart(8, '0')}`;
  }

  /** 0 for what is no id of ours. */
  numberOf(id: string): number {
    const [, digits = ''] = /^[0-9a-f]{8}([0-9a-f]{8})$/.exec(id) ?? [];
    return id.startsWith(this.#prefix) && digits !== '' ? Number.parseInt(digits, 16) : 0;
  }
}
