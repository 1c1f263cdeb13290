/** Memory for bytes on their way out: reused, because buffers of this size are costly garbage (README.md). */
export const SLAB_BYTES = 65_536;

/** Slabs kept for reuse by the whole process: 4 MiB. */
const POOL_LIMIT = 64;

const pool: Buffer[] = [];

export function takeSlab(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** Nobody may hold a view of it any more. */
export function returnSlab(slab: Buffer): void {
  if (pool.length < POOL_LIMIT) pool.push(slab);
}
