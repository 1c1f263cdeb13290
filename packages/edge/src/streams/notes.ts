/** Lines of text over a stream between edges, about a session each: somebody there waits for a place. */
import type { MuxStream, MuxStreamHandler } from '@postern/protocol';

/** Ids have some thirty characters. */
const LONGEST = 256;

export class NoteReader implements MuxStreamHandler {
  readonly #onNote: (sessionId: string) => void;
  stream: MuxStream | null = null;
  #held = '';

  constructor(onNote: (sessionId: string) => void) {
    this.#onNote = onNote;
  }

  onData(chunk: Buffer): void {
    this.stream?.consume(chunk.length);
    const lines = (this.#held + chunk.toString('latin1')).split('\n');
    this.#held = (lines.pop() ?? '').slice(0, LONGEST);
    for (const line of lines) this.#onNote(line);
  }

  onEnd(): void {}
  onReset(): void {}
  onDrain(): void {}
}

/** Notes that nobody reads are no loss: whoever waits asks again. */
export function writeNote(stream: MuxStream, sessionId: string): void {
  if (stream.queued === 0) stream.write(Buffer.from(`${sessionId}\n`, 'latin1'));
}
