/**
 * Tells an HTTP/2 client a size of heads (SETTINGS_MAX_HEADER_LIST_SIZE) below the one that is taken.
 *
 * What is advertised has to be safe: nghttp2 ends the connection at a name or value of more than 64 KiB, and from that a
 * client can only be kept by a limit for the whole head. What is taken may be more, and what is too much is answered 431
 * on its stream; but a session resets the streams that go beyond its own settings. So the size is told without the
 * session: a frame is begun before the session is made, and the SETTINGS frame that it sends first becomes the rest of
 * the payload. Its header is read as settings that nobody knows, and those are ignored (RFC 9113 §6.5.2). The client
 * sees, and acknowledges, one frame.
 */
import { getPackedSettings, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { abort } from '../../connection/abort.ts';
import type { TimerWheel } from '../../context.ts';

/** Of a name or value in nghttp2 (NGHTTP2_HD_MAX_NV), as it is sent. */
const MOST_ADVERTISED = 65_536;

const FRAME_HEADER_BYTES = 9;
const SETTINGS_FRAME = 4;
const SETTING_BYTES = 6;
const MAX_HEADER_LIST_SIZE = 6;
/** Of the values that are kept for nobody (0x?a?a, draft-bishop-httpbis-grease). */
const UNUSED = 0x0a0a;

/** @param settings what the session is going to send in its first frame */
function opening(settings: Settings, headBytes: number): Buffer {
  // The header fills two settings behind three bytes: one of the id here, and 0x0400.
  const unused = 2 * SETTING_BYTES - FRAME_HEADER_BYTES;
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + SETTING_BYTES + unused);
  const payload = SETTING_BYTES + unused + FRAME_HEADER_BYTES + getPackedSettings(settings).length;
  bytes.writeUIntBE(payload, 0, 3);
  bytes.writeUInt8(SETTINGS_FRAME, 3);
  bytes.writeUInt16BE(MAX_HEADER_LIST_SIZE, FRAME_HEADER_BYTES);
  bytes.writeUInt32BE(Math.min(headBytes, MOST_ADVERTISED), FRAME_HEADER_BYTES + 2);
  bytes.writeUInt16BE(UNUSED, FRAME_HEADER_BYTES + SETTING_BYTES);
  return bytes;
}

/**
 * Written through before a session takes the socket: the runtime allows one writer at a time.
 * @returns whether the socket is there still
 */
export async function announceHeads(
  socket: Socket,
  settings: Settings,
  headBytes: number,
  wheel: TimerWheel,
  deadlineMs: number,
): Promise<boolean> {
  if (socket.destroyed) return false;
  const deadline = wheel.schedule(deadlineMs, () => abort(socket));
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('close', done);
      resolve();
    };
    socket.on('close', done);
    socket.write(opening(settings, headBytes), done);
  });
  deadline.cancel();
  return !socket.destroyed;
}
