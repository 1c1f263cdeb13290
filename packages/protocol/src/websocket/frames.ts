/** Frames of a WebSocket as a server writes them (RFC 6455 §5.2), and the status codes that they end with (§7.4). */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupported: 1003,
  /** Never sent: a close frame without a code. */
  none: 1005,
  tooBig: 1009,
  internal: 1011,
} as const;

/** The head of a frame that is a whole message, or a control frame; `length` bytes follow it, unmasked. */
export function webSocketFrameHead(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, length]);
  if (length < 65_536) return Buffer.from([first, 126, length >>> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** @param code 1005 = none */
export function webSocketClose(code: number): Buffer {
  if (code === CLOSE.none) return webSocketFrameHead(OPCODE.close, 0);
  return Buffer.concat([webSocketFrameHead(OPCODE.close, 2), Buffer.from([code >>> 8, code & 0xff])]);
}

/** Whether a close frame may carry the code. */
export function isSendable(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
