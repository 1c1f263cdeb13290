/**
 * Streams that we have given up and that the peer still has. One family of agents neither says that it has dealt with a
 * reset nor lets go of a stream while its own side of it waits; a session of theirs dies at its 513th stream
 * (agent-protocol.md §0.6 and annex). So a stream counts until the peer is known to have let go:
 *
 *  1. told      FIN and a grant have left: they wake a reader, and a writer that waits for credit
 *  2. reset     it went on sending: RST and a grant have left, its next write fails
 *  3. let go    it ended the stream, or it answered something that left behind the reset
 */
import type { Stream } from './stream.ts';
import type { LeavingStreams } from './types.ts';

interface Leaver {
  readonly stream: Stream;
  readonly since: number;
  /** Of the reset; -1 = only told. */
  mark: number;
}

/** What a session's leaving streams ask of it. */
export interface LeavingHost {
  /** The place of the stream is free. */
  over(stream: Stream): void;
  /** RST and a grant for this id. */
  resetLeaver(id: number): void;
}

export class Leaving implements LeavingStreams {
  slow = false;
  /** Those that have been reset. */
  unsettled = 0;
  readonly #host: LeavingHost;
  readonly #now: () => number;
  /** null = there have been none, as at nearly all sessions. */
  #leavers: Map<number, Leaver> | null = null;
  #mark = 0;

  /** @param now monotonic milliseconds */
  constructor(host: LeavingHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  get size(): number {
    return this.#leavers?.size ?? 0;
  }

  add(stream: Stream): void {
    (this.#leavers ??= new Map()).set(stream.id, { stream, since: this.#now(), mark: -1 });
  }

  /** DATA came. @returns false when it is no business of a stream here, or not any more */
  takes(id: number, length: number, fin: boolean): boolean {
    const leaver = this.#leavers?.get(id);
    if (leaver === undefined) return false;
    if (fin) this.letGo(id);
    else if (length === 0 || leaver.mark >= 0) return false;
    else {
      leaver.mark = this.#mark;
      this.unsettled += 1;
      this.#host.resetLeaver(id);
    }
    return true;
  }

  /** The peer has ended the stream. */
  letGo(id: number): void {
    const leaver = this.#leavers?.get(id);
    if (leaver === undefined) return;
    this.#leavers?.delete(id);
    if (leaver.mark >= 0) this.unsettled -= 1;
    this.#host.over(leaver.stream);
  }

  mark(): number {
    this.#mark += 1;
    return this.#mark;
  }

  settle(mark: number): void {
    for (const [id, leaver] of this.#leavers ?? []) if (leaver.mark >= 0 && leaver.mark < mark) this.letGo(id);
  }

  expire(milliseconds: number): void {
    const before = this.#now() - milliseconds;
    for (const [id, leaver] of this.#leavers ?? []) {
      if (leaver.since > before) continue;
      this.#host.resetLeaver(id);
      this.letGo(id);
    }
  }

  /** The session is over. */
  clear(): void {
    for (const id of this.#leavers?.keys() ?? []) this.letGo(id);
  }
}
