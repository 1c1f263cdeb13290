/** How bytes leave through sockets of the runtime at little cost: pooled memory, joined writes. */
export { dealRead, type Flushable, flushSoon, type ReadCallback } from './flush-turns.ts';
export { returnSlab, SLAB_BYTES, takeSlab } from './slabs.ts';
export { SocketWriter, type SocketWriterOwner } from './socket-writer.ts';
