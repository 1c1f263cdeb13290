/** HTTP/2 services of hand-made frames. */
import type { Socket } from 'node:net';
import { frame, FrameType } from './h2-frames.ts';
import { rawService, type Service } from './services.ts';

const PREFACE_BYTES = 24;

export type OnFrame = (socket: Socket, type: number, flags: number, id: number, payload: Buffer) => void;

/** A service of hand-made frames. @param onFrame hears of HEADERS and DATA */
export function byHand(onFrame: OnFrame): Promise<Service> {
  return rawService((socket) => {
    let unread = Buffer.alloc(0);
    let preface = true;
    socket.on('error', () => {});
    socket.write(frame(FrameType.settings, 0, 0));
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      if (preface && unread.length >= PREFACE_BYTES) {
        preface = false;
        unread = unread.subarray(PREFACE_BYTES);
      }
      if (preface) return;
      while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
        const length = unread.readUIntBE(0, 3);
        const [type = 0, flags = 0] = unread.subarray(3, 5);
        const id = unread.readUInt32BE(5);
        const payload = unread.subarray(9, 9 + length);
        unread = unread.subarray(9 + length);
        if (type === FrameType.settings && flags === 0) socket.write(frame(FrameType.settings, 1, 0));
        if (type === FrameType.headers || type === FrameType.data) onFrame(socket, type, flags, id, payload);
      }
    });
  });
}
