import { constrainedMemory } from 'node:process';
import { totalmem } from 'node:os';

/** What a connection of a visitor takes here at most, nearly always: sockets, queues, and a window that is half full. */
const BYTES_EACH = 65_536;
/** Of the memory there is. */
const SHARE = 1 / 4;
const LEAST = 1_024;
const MOST = 65_536;

/** How many connections of visitors this agent bears at once, by the memory of its machine or container. */
export function streamsBorne(memory: number = memoryHere()): number {
  return Math.min(MOST, Math.max(LEAST, Math.floor((memory * SHARE) / BYTES_EACH)));
}

function memoryHere(): number {
  const total = totalmem();
  // 0 or a number beyond all memory when nothing constrains it.
  const allowed = constrainedMemory();
  return allowed > 0 ? Math.min(total, allowed) : total;
}
