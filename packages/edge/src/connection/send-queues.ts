/**
 * What the system holds for a peer that has not confirmed it. A socket takes nothing more from us until a third of its
 * buffer is free, which at 100 KB a second takes minutes, so that a slow reader cannot be told from one who has vanished
 * by what our writes say. Linux tells in `/proc/net/tcp` (proc(5), tx_queue); where nobody tells, nobody is judged by it.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** No connection any more: a reset came, which is not always told (an HTTP/2 session whose writes wait learns nothing). */
export const GONE = -1;
const FILES = ['/proc/net/tcp', '/proc/net/tcp6'];

export interface SendQueues {
  /**
   * Bytes that the peer has not confirmed, or {@link GONE}; null = not known. Never rejects.
   * @param maxAgeMs all who ask within this share one reading
   */
  of(socket: Socket, maxAgeMs: number): Promise<number | null>;
}

/**
 * To be called while the connection is there: of one that was reset the system names no ends any more, and the runtime
 * remembers only what it has been asked for. @returns whether they are known
 */
export function learnEnds({ remotePort, localPort }: Socket): boolean {
  return remotePort !== undefined && localPort !== undefined;
}

/** @param now monotonic milliseconds */
export function createSendQueues(
  now: () => number = () => performance.now(),
  read: (file: string) => Promise<string> = (file) => readFile(file, 'latin1'),
): SendQueues {
  let readAt = -Infinity;
  let reading: Promise<readonly string[]> = Promise.resolve([]);
  const tables = (maxAgeMs: number): Promise<readonly string[]> => {
    if (now() - readAt > maxAgeMs) {
      readAt = now();
      reading = Promise.all(FILES.map((file) => read(file).catch(() => '')));
    }
    return reading;
  };
  return {
    async of(socket, maxAgeMs) {
      const { localPort, remotePort, remoteAddress } = socket;
      if (localPort === undefined || remotePort === undefined || remoteAddress === undefined) return null;
      const local = `:${hex(localPort, 4)} `;
      const ends = `${local}${hexAddress(remoteAddress)}:${hex(remotePort, 4)} `;
      const both = await tables(maxAgeMs);
      for (const table of both) {
        const at = table.indexOf(ends);
        // local_address rem_address st tx_queue:rx_queue
        if (at !== -1) return Number.parseInt(table.slice(at + ends.length + 3, at + ends.length + 11), 16);
      }
      // Sockets of another network namespace are not in our tables, and neither is their listener.
      return both.some((table) => LISTENING.some((nobody) => table.includes(`${local}${nobody}`))) ? GONE : null;
    },
  };
}

/** Remote end and state of a listener. */
const LISTENING = [`${'0'.repeat(8)}:0000 0A`, `${'0'.repeat(32)}:0000 0A`];

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

/** As the kernel prints addresses: 32-bit words in the byte order of the machine (little-endian wherever Node runs). */
function hexAddress(address: string): string {
  const zone = address.indexOf('%');
  const plain = zone === -1 ? address : address.slice(0, zone);
  if (!plain.includes(':')) return hexV4(plain);
  const dotted = plain.lastIndexOf(':');
  const tail = plain.slice(dotted + 1);
  const groups = tail.includes('.') ? `${plain.slice(0, dotted)}:${v4Groups(tail)}` : plain;
  const [head = '', rest] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const words = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('');
  return words.replace(/(..)(..)(..)(..)/g, '$4$3$2$1').toUpperCase();
}

function hexV4(address: string): string {
  return address
    .split('.')
    .toReversed()
    .map((byte) => hex(Number(byte), 2))
    .join('');
}

function v4Groups(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${hex(a * 256 + b, 4)}:${hex(c * 256 + d, 4)}`;
}
