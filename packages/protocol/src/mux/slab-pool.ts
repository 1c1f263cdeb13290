/** Memory for bytes that wait for a window or the wire: reused, because buffers of this size are costly garbage. */
export const SLAB_BYTES = 65_536;
/** Slabs kept for reuse by the whole process: 4 MiB. */
const KEPT = 64;

const pool: Buffer[] = [];

export function takeSlab(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

export function returnSlab(slab: Buffer): void {
  if (pool.length < KEPT) pool.push(slab);
}
