/**
 * How many stand in the system's backlog of listening sockets. Linux tells in `/proc/net/tcp` (proc(5): rx_queue of a
 * socket in LISTEN), which begins with the listening ones, so that a piece of it is enough; elsewhere nobody tells.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const FILES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** Room for a few hundred listening sockets, at 150 bytes each. */
const MOST_BYTES = 65_536;
/** `sl: address:port  any:0000 0A tx_queue:rx_queue` */
const LISTENING = /: [0-9A-F]+:([0-9A-F]{4}) 0+:0000 0A [0-9A-F]{8}:([0-9A-F]{8})/g;

/**
 * @param ports where they come to
 * @param read the beginning of a file; throws when there is none
 * @returns null = not known
 */
export function backlogOf(ports: ReadonlySet<number>, read: (file: string) => string = beginningOf): number | null {
  let found = false;
  let standing = 0;
  for (const file of FILES) {
    let table = '';
    try {
      table = read(file);
    } catch {
      continue;
    }
    for (const [, port = '', length = ''] of table.matchAll(LISTENING)) {
      if (!ports.has(Number.parseInt(port, 16))) continue;
      found = true;
      standing += Number.parseInt(length, 16);
    }
  }
  return found ? standing : null;
}

function beginningOf(file: string): string {
  const buffer = Buffer.allocUnsafe(MOST_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < MOST_BYTES; length += read)
      read = readSync(descriptor, buffer, length, MOST_BYTES - length, null);
    return buffer.toString('latin1', 0, length);
  } finally {
    closeSync(descriptor);
  }
}
