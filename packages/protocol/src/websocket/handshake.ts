import { createHash } from 'node:crypto';

/** RFC 6455 §1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What a server answers to a client's Sec-WebSocket-Key. */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
}

/** Whether it is 16 bytes in base64 (RFC 6455 §4.1). */
export function isWebSocketKey(key: string): boolean {
  return key.length === 24 && Buffer.from(key, 'base64').toString('base64') === key;
}
