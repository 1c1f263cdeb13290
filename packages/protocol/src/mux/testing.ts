/** Helpers of this folder's tests. */
import { DataFlag, FrameType, writeControlFrame, writeFrameHeader } from './frame.ts';
import { createMuxSession } from './session.ts';
import type { MuxOptions, MuxSession, MuxStream, MuxStreamHandler } from './types.ts';

export interface StreamRecord {
  stream: MuxStream | undefined;
  data: Buffer;
  ended: boolean;
  reset: number | undefined;
  drains: number;
}

export function recorder(options: { consume?: boolean } = {}): { record: StreamRecord; handler: MuxStreamHandler } {
  const record: StreamRecord = {
    stream: undefined,
    data: Buffer.alloc(0),
    ended: false,
    reset: undefined,
    drains: 0,
  };
  const handler: MuxStreamHandler = {
    onData(chunk) {
      record.data = Buffer.concat([record.data, chunk]);
      if (options.consume !== false) record.stream?.consume(chunk.length);
    },
    onEnd() {
      record.ended = true;
    },
    onReset(code) {
      record.reset = code;
    },
    onDrain() {
      record.drains += 1;
    },
  };
  return { record, handler };
}

export interface Side {
  session: MuxSession;
  accepted: StreamRecord[];
  end: { code: number; detail: string } | undefined;
  outputs: number;
}

export function side(options: MuxOptions, streamOptions: { consume?: boolean } = {}): Side {
  const made: Side = {
    accepted: [],
    end: undefined,
    outputs: 0,
    session: createMuxSession(options, {
      onStream(stream) {
        const { record, handler } = recorder(streamOptions);
        record.stream = stream;
        stream.handler = handler;
        made.accepted.push(record);
      },
      onOutput() {
        made.outputs += 1;
      },
      onEnd(code, detail) {
        made.end = { code, detail };
      },
    }),
  };
  return made;
}

export function openRecorded(
  session: MuxSession,
  type: number,
  first?: Buffer,
  options: { consume?: boolean } = {},
): StreamRecord & { stream: MuxStream } {
  const { record, handler } = recorder(options);
  const stream = session.open(type, handler, first);
  return Object.assign(record, { stream });
}

/** Everything that a session has to send, as one copy. */
export function drain(session: MuxSession, limit?: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const buffer = session.pull(limit);
    if (buffer === undefined) return Buffer.concat(parts);
    parts.push(Buffer.from(buffer));
    session.release(buffer);
  }
}

/** Moves bytes both ways until both sides are dry. */
export function settle(a: MuxSession, b: MuxSession): void {
  for (;;) {
    const fromA = drain(a);
    const fromB = drain(b);
    if (fromA.length === 0 && fromB.length === 0) return;
    b.receive(fromA);
    a.receive(fromB);
  }
}

export function dataFrame(streamId: number, payload: Buffer | string, flags = 0): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const header = Buffer.alloc(8);
  writeFrameHeader(header, 0, FrameType.data, flags, streamId, body.length);
  return Buffer.concat([header, body]);
}

export function controlFrame(type: number, streamId: number, value: number): Buffer {
  const frame = Buffer.alloc(12);
  writeControlFrame(frame, 0, type, streamId, value);
  return frame;
}

/** A SYN frame with its type and some payload. */
export function synFrame(streamId: number, type: number, payload = '', flags = 0): Buffer {
  const typeBytes = Buffer.alloc(4);
  typeBytes.writeUInt32BE(type);
  return dataFrame(streamId, Buffer.concat([typeBytes, Buffer.from(payload)]), DataFlag.syn | flags);
}

export interface ParsedFrame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

export function parseFrames(bytes: Buffer): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const typeAndFlags = bytes.readUInt8(at + 3);
    const payload = bytes.subarray(at + 8, at + 8 + length);
    frames.push({ type: typeAndFlags >> 4, flags: typeAndFlags & 15, id: bytes.readUInt32BE(at + 4), payload });
    at += 8 + length;
  }
  return frames;
}

/** Hex text written in groups, without the spaces. */
export function packed(groups: string): string {
  return groups.replaceAll(' ', '');
}
