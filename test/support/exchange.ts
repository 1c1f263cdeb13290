import type net from 'node:net';
import { PATIENCE_MS } from './until.ts';

/** Writes a text, answers what came back once it is at least as long, and closes. Rejects when it stays silent. */
export function exchange(socket: net.Socket, text: string, milliseconds = PATIENCE_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.setTimeout(milliseconds, () => socket.destroy(new Error(`silent; got "${received}"`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed; got "${received}"`)));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (received.length < text.length) return;
      resolve(received);
      socket.destroy();
    });
    socket.write(text);
  });
}
