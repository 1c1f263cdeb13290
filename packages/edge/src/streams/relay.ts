/** One visitor's stream of another edge, and its stream into an agent here: bytes both ways, ends as they come. */
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';

/**
 * What one of the two streams tells is done to the other. Bytes count as taken when the other stream has room for more,
 * so that each direction goes as fast as its reader and no faster.
 */
class RelayEnd implements MuxStreamHandler {
  readonly #source: MuxStream;
  readonly #target: MuxStream;
  readonly #other: () => RelayEnd;
  /** Bytes that the target has queued beyond its mark: their credit comes when it has drained. */
  #owed = 0;
  #ended = false;

  /** @param other of the opposite direction */
  constructor(source: MuxStream, target: MuxStream, other: () => RelayEnd) {
    this.#source = source;
    this.#target = target;
    this.#other = other;
  }

  onData(chunk: Buffer): void {
    if (!this.#target.writable) {
      // It takes nothing more, and what comes for it is nobody's; its end is on its way.
      this.#source.consume(chunk.length);
      return;
    }
    if (this.#target.writeShared(chunk)) this.#source.consume(chunk.length);
    else this.#owed += chunk.length;
  }

  onEnd(): void {
    this.#ended = true;
    this.#target.end();
  }

  onReset(code: number): void {
    // It says only that it takes nothing more: what it sent before, its end with it, is still due.
    if (this.#ended && code === MuxErrorCode.streamClosed) return;
    resetBehind(this.#target, code);
  }

  /** The source can be written again. */
  onDrain(): void {
    this.#other().drained();
  }

  onFault(): void {
    this.#target.reset(MuxErrorCode.internal);
  }

  drained(): void {
    const owed = this.#owed;
    this.#owed = 0;
    this.#source.consume(owed);
  }
}

export function relay(one: MuxStream, other: MuxStream): void {
  const there: RelayEnd = new RelayEnd(one, other, () => back);
  const back = new RelayEnd(other, one, () => there);
  one.handler = there;
  other.handler = back;
}

/** How long a reset may wait for what is queued before it: its reader may never take that. */
const BEHIND_MS = 2_000;

/**
 * A reset drops what is queued, and here that may be an answer that has come before it: whether something was answered
 * decides whether a request may be sent again.
 */
function resetBehind(stream: MuxStream, code: number): void {
  stream.resetBehind(code);
  if (!stream.closed) setTimeout(() => stream.reset(code), BEHIND_MS);
}
