/**
 * Where captured bytes lie: blocks of one size that are filled in turn and used again, so that what passes is copied once
 * and leaves nothing to the garbage collector. Blocks are allocated as they are needed, up to the bound.
 */

const BLOCK_BYTES = 65_536;

interface Block {
  readonly bytes: Buffer;
  used: number;
  /** Pieces that lie in it. */
  pieces: number;
}

interface Piece {
  readonly block: Block;
  readonly start: number;
  end: number;
}

/** Bytes that were put away, in their order. */
export type Pieces = Piece[];

export class Blocks {
  readonly #most: number;
  readonly #evict: () => boolean;
  readonly #free: Block[] = [];
  #allocated = 0;
  #current: Block | undefined = undefined;

  /**
   * @param bound bytes of all blocks together
   * @param evict gives up what is oldest; false when nothing is left
   */
  constructor(bound: number, evict: () => boolean) {
    this.#most = Math.max(4, Math.floor(bound / BLOCK_BYTES));
    this.#evict = evict;
  }

  /** How many blocks there may be. */
  get most(): number {
    return this.#most;
  }

  /** Copies `chunk[start..end)` behind what `pieces` holds. */
  append(pieces: Pieces, chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const block = this.#writable();
      const length = Math.min(end - at, BLOCK_BYTES - block.used);
      chunk.copy(block.bytes, block.used, at, at + length);
      const last = pieces.at(-1);
      if (last !== undefined && last.block === block && last.end === block.used) last.end += length;
      else {
        pieces.push({ block, start: block.used, end: block.used + length });
        block.pieces += 1;
      }
      block.used += length;
      at += length;
    }
  }

  /** Nobody needs them any more. */
  release(pieces: Pieces): void {
    for (const { block } of pieces) {
      block.pieces -= 1;
      if (block.pieces > 0) continue;
      block.used = 0;
      if (block !== this.#current) this.#free.push(block);
    }
    pieces.length = 0;
  }

  #writable(): Block {
    const current = this.#current;
    if (current !== undefined && current.used < BLOCK_BYTES) return current;
    if (current?.pieces === 0) {
      current.used = 0;
      return current;
    }
    let next = this.#free.pop();
    if (next === undefined && this.#allocated < this.#most) {
      this.#allocated += 1;
      next = { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), used: 0, pieces: 0 };
    }
    while (next === undefined && this.#evict()) next = this.#free.pop();
    // All was given up; only the current block can be left.
    if (next === undefined) throw new Error('captured bytes are held by nobody');
    this.#current = next;
    return next;
  }
}

/** One copy of all of them. */
export function bytesOf(pieces: Pieces): Buffer {
  return Buffer.concat(pieces.map(({ block, start, end }) => block.bytes.subarray(start, end)));
}
