/** Makes ClientHello bytes for tests, field by field, so that each can be made wrong. */

export interface HelloParts {
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  /** Payload bytes per record. */
  readonly recordSize?: number;
  /** Bytes behind the last field of the hello. */
  readonly trailing?: Buffer;
  readonly extraExtensions?: readonly { readonly type: number; readonly value: Buffer }[];
}

export function helloBytes(parts: HelloParts): Buffer {
  return records(helloMessage(parts), parts.recordSize ?? 16_384);
}

/** The handshake message without record framing. */
export function helloMessage(parts: HelloParts): Buffer {
  const extensions: Buffer[] = [];
  if (parts.serverName !== undefined) {
    const name = Buffer.from(parts.serverName, 'latin1');
    extensions.push(extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, name)]))));
  }
  if (parts.alpn !== undefined) {
    const list = parts.alpn.map((protocol) => vector(1, Buffer.from(protocol, 'latin1')));
    extensions.push(extension(16, vector(2, Buffer.concat(list))));
  }
  for (const { type, value } of parts.extraExtensions ?? []) extensions.push(extension(type, value));
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, Buffer.from([0x13, 0x01, 0x13, 0x02])),
    vector(1, Buffer.from([0])),
    vector(2, Buffer.concat(extensions)),
    parts.trailing ?? Buffer.alloc(0),
  ]);
  const header = Buffer.alloc(4);
  header.writeUInt8(1, 0);
  header.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([header, body]);
}

/** Puts a handshake message into records of `size` bytes each. */
export function records(message: Buffer, size: number): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    const header = Buffer.from([22, 3, 1, 0, 0]);
    header.writeUInt16BE(part.length, 3);
    out.push(header, part);
  }
  return Buffer.concat(out);
}

function vector(lengthBytes: number, value: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(value.length, 0, lengthBytes);
  return Buffer.concat([length, value]);
}

function extension(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(2);
  header.writeUInt16BE(type);
  return Buffer.concat([header, vector(2, value)]);
}
