/**
 * Bytes of muxado frames (agent-protocol.md §2.1): an 8-byte big-endian header (24-bit payload length, type and flags
 * in one byte, 31-bit stream id), then the payload.
 */

export const FrameType = { reset: 0, data: 1, windowIncrement: 2, goAway: 3 } as const;

/** Flags are defined for DATA only. */
export const DataFlag = { fin: 0x1, syn: 0x2 } as const;

export const HEADER_BYTES = 8;
/** A RST or WNDINC frame. */
export const CONTROL_FRAME_BYTES = HEADER_BYTES + 4;
/** Bytes of the type that opens every stream (agent-protocol.md §2.7). */
export const TYPE_BYTES = 4;
/** The type of streams that only ask whether anybody is there (agent-protocol.md §3). */
export const HEARTBEAT_TYPE = 0xffff_ffff;
/** What both SDK families start with, per stream and direction; it is not negotiated (agent-protocol.md §2.5). */
export const INITIAL_WINDOW = 0x40000;
export const MAX_WINDOW = 0x7fffffff;
/** Never a stream: the target of the latency nudge (agent-protocol.md §2.8). */
export const NUDGE_STREAM_ID = 0x7ffffffe;
/**
 * The largest DATA frame we send, header included: exactly one TLS record, so that eight frames fill eight records.
 */
export const MAX_FRAME_BYTES = 16_384;
export const MAX_FRAME_PAYLOAD = MAX_FRAME_BYTES - HEADER_BYTES;

/** Writes a frame header at `at`; returns the offset behind it. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  type: number,
  flags: number,
  streamId: number,
  length: number,
): number {
  target[at] = (length >>> 16) & 0xff;
  target[at + 1] = (length >>> 8) & 0xff;
  target[at + 2] = length & 0xff;
  target[at + 3] = (type << 4) | flags;
  return writeUint32(target, at + 4, streamId);
}

/** Writes a RST or WNDINC frame, whose payload is one u32; returns the offset behind it. */
export function writeControlFrame(target: Buffer, at: number, type: number, streamId: number, value: number): number {
  return writeUint32(target, writeFrameHeader(target, at, type, 0, streamId, 4), value);
}

export function writeUint32(target: Buffer, at: number, value: number): number {
  target[at] = (value >>> 24) & 0xff;
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
  return at + 4;
}
