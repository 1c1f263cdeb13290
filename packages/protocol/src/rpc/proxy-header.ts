import { fail } from '@postern/errors';
import { Fields } from './fields.ts';
import type { EndpointProto, ProxyHeader } from './types.ts';

const LENGTH_BYTES = 8;
/** The JSON of a header; real ones have about 150 bytes. */
const LONGEST_HEADER = 65_536;

/**
 * What follows the stream type at the start of a proxied stream (agent-protocol.md §6): the length of the JSON as
 * little-endian i64, then the JSON.
 */
export function encodeProxyHeader(header: ProxyHeader): Buffer {
  const text = JSON.stringify({
    Id: header.id,
    ClientAddr: header.clientAddr,
    Proto: header.proto,
    EdgeType: header.edgeType,
    PassthroughTLS: header.passthroughTls,
  });
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(0, 4);
  bytes.write(text, LENGTH_BYTES);
  return bytes;
}

/** Reads that header on the agent's side, however the bytes are split. */
export class ProxyHeaderReader {
  #held: Buffer = Buffer.alloc(0);
  /** Set once {@link push} returned a number. */
  header: ProxyHeader | undefined = undefined;

  /**
   * @returns how many bytes of `chunk` belong to the header, once it is complete (the rest is the visitor's);
   *   -1 while more is needed
   * @throws PosternError 109
   */
  push(chunk: Buffer): number {
    const before = this.#held.length;
    const bytes = before === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (bytes.length >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(0);
      if (bytes.readUInt32LE(4) !== 0 || length > LONGEST_HEADER) {
        throw fail(109, { reason: `the header of a proxied connection is longer than ${LONGEST_HEADER} bytes` });
      }
      const end = LENGTH_BYTES + length;
      if (bytes.length >= end) {
        this.header = decodeHeader(bytes.subarray(LENGTH_BYTES, end));
        this.#held = Buffer.alloc(0);
        return end - before;
      }
    }
    // The chunk is valid during the call only.
    this.#held = before === 0 ? Buffer.from(chunk) : bytes;
    return -1;
  }
}

function decodeHeader(bytes: Buffer): ProxyHeader {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw fail(109, { reason: 'the header of a proxied connection is not valid JSON' }, { cause: error });
  }
  const fields = new Fields(value, 'ProxyHeader', 109);
  return {
    id: fields.string('Id'),
    clientAddr: fields.string('ClientAddr'),
    proto: endpointProto(fields),
    edgeType: edgeType(fields.string('EdgeType')),
    passthroughTls: fields.boolean('PassthroughTLS'),
  };
}

function endpointProto(fields: Fields): EndpointProto {
  const proto = fields.string('Proto');
  if (proto === 'http' || proto === 'https' || proto === 'tcp' || proto === 'tls') return proto;
  throw fields.fieldError('Proto', `is "${proto}", not http, https, tcp or tls`);
}

function edgeType(text: string): ProxyHeader['edgeType'] {
  return text === '1' || text === '2' || text === '3' ? text : '0';
}
