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
  block: Block | undefined;
  start: number;
  end: number;
}

/** Bytes that were put away, in their order. The first piece is the list itself: most have no other. */
export interface Pieces extends Piece {
  more: Piece[] | undefined;
}

export const noPieces = (): Pieces => ({ block: undefined, start: 0, end: 0, more: undefined });

/** How many there are. */
export function countOf(pieces: Pieces): number {
  return pieces.block === undefined ? 0 : 1 + (pieces.more?.length ?? 0);
}

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
      const last = pieces.more?.at(-1) ?? pieces;
      if (last.block === block && last.end === block.used) last.end += length;
      else {
        const from = block.used;
        const to = from + length;
        if (pieces.block !== undefined) (pieces.more ??= []).push({ block, start: from, end: to });
        else {
          pieces.block = block;
          pieces.start = from;
          pieces.end = to;
        }
        block.pieces += 1;
      }
      block.used += length;
      at += length;
    }
  }

  /** Nobody needs them any more. */
  release(pieces: Pieces): void {
    if (pieces.block !== undefined) this.#release(pieces.block);
    for (const { block } of pieces.more ?? []) if (block !== undefined) this.#release(block);
    pieces.block = undefined;
    pieces.more = undefined;
  }

  #release(block: Block): void {
    block.pieces -= 1;
    if (block.pieces > 0) return;
    block.used = 0;
    if (block !== this.#current) this.#free.push(block);
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
  return Buffer.concat([pieces, ...(pieces.more ?? [])].map((piece) => bytesOfPiece(piece, piece.end)));
}

/** The first of them, `most` at most: a view, for use at once. */
export function glanceAt(pieces: Pieces, most: number): Buffer {
  return bytesOfPiece(pieces, Math.min(pieces.end, pieces.start + most));
}

function bytesOfPiece({ block, start }: Piece, end: number): Buffer {
  return block === undefined ? Buffer.alloc(0) : block.bytes.subarray(start, end);
}
