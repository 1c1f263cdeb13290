/**
 * When writers flush. What one read brings leaves at the end of that read: waiting for the next turn of the event loop
 * would cost that turn, and a look at all sockets with it. Only where more of the same is likely to be there already
 * (records of a transfer) are the writes of several reads joined (docs/performance.md).
 */

/** A read from here on is part of a transfer. */
const BULK_BYTES = 4_096;

/** What got bytes that have not left. */
export interface Flushable {
  /** Never throws. */
  flushNow(): void;
}

let waiting: Flushable[] = [];
/** Reads that are being dealt with. */
let reads = 0;
/** A flush in the next turn is on its way. */
let expected = false;

/** Its bytes leave at the end of the read that is being dealt with, or in the next turn. Call it once for each flush. */
export function flushSoon(writer: Flushable): void {
  waiting.push(writer);
  if (reads === 0) flushLater();
}

/** Gets `buffer[0..length)`, which is valid during the call only. */
export type ReadCallback = (buffer: Buffer, length: number) => void;

/** Deals with one read: what `onBytes` gives to writers leaves at its end, or with more of the same. */
export function dealRead(onBytes: ReadCallback, buffer: Buffer, length: number): void {
  readBegins();
  try {
    onBytes(buffer, length);
  } finally {
    readEnds(length);
  }
}

/** A read is about to be dealt with. */
function readBegins(): void {
  reads++;
}

/** It has been. @param bytes that it brought */
function readEnds(bytes: number): void {
  reads--;
  if (reads > 0 || waiting.length === 0) return;
  if (bytes >= BULK_BYTES) flushLater();
  else flushAll();
}

function flushLater(): void {
  if (expected) return;
  expected = true;
  setImmediate(flushOfTurn);
}

function flushOfTurn(): void {
  expected = false;
  flushAll();
}

function flushAll(): void {
  const writers = waiting;
  waiting = [];
  for (const writer of writers) writer.flushNow();
}
