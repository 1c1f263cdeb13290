/**
 * `node:http2` hands out each piece of a request's body in memory of its own. The pieces die young, but V8 counts their
 * memory only against its limit for what is outside its heap: every 64 MiB of uploads would start a full collection of
 * everything that the server holds. A collection of the young objects alone costs a thousandth of that and frees them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes between two collections: well below V8's limit. */
const STEP = 16_777_216;

let read = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/** A piece of `bytes` has been read in memory that was made for it. */
export function pieceRead(bytes: number): void {
  read += bytes;
  if (read < STEP) return;
  read = 0;
  collect ??= youngCollector();
  collect({ type: 'minor' });
}

/** The collector is not public unless a flag is set, which can be done late; without it nothing is lost but CPU. */
function youngCollector(): (options: { type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (options) => void gc(options) : () => undefined;
}
