/** HTTP/2 frames made by hand (RFC 9113 §4.1), right ones and wrong ones alike. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** @param payload bytes, or text of one byte a character */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload]);
}

/** 32-bit numbers, as the payloads of RST_STREAM, GOAWAY and WINDOW_UPDATE. */
export function words(...values: number[]): Buffer {
  const made = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) made.writeUInt32BE(value >>> 0, at * 4);
  return made;
}

/** One setting: a 16-bit name and its value (RFC 9113 §6.5.1). */
export function setting(name: number, value: number): Buffer {
  const made = Buffer.alloc(6);
  made.writeUInt16BE(name, 0);
  made.writeUInt32BE(value >>> 0, 2);
  return made;
}

/** A field without indexing and Huffman code (RFC 7541 §6.2.2), name and value shorter than 127 bytes. */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

/** The same with a value of 127 bytes to 16 KiB. */
export const longLiteral = (name: string, value: string): Buffer => {
  const rest = value.length - 127;
  const length = Buffer.from([0x7f, (rest & 0x7f) | 0x80, rest >> 7]);
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), length, Buffer.from(value)]);
};
