/** Messages of DNS as a client reads them (RFC 1035 §4); what another server says is believed as far as it is whole. */

export interface DnsRecord {
  /** Lower case, without the dot behind it. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly data: Buffer;
  /** Where in the message it begins, and where it ends. */
  readonly start: number;
  readonly end: number;
}

export interface DnsMessage {
  readonly id: number;
  readonly isAnswer: boolean;
  readonly truncated: boolean;
  readonly code: number;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

const HEADER = 12;
const MOST_NAME = 255;
const MOST_JUMPS = 16;

/** null = it is no whole message. */
export function readMessage(bytes: Buffer): DnsMessage | null {
  if (bytes.length < HEADER) return null;
  const flags = bytes.readUInt16BE(2);
  let at = HEADER;
  for (let left = bytes.readUInt16BE(4); left > 0; left -= 1) {
    const name = readName(bytes, at);
    if (name === null || name.end + 4 > bytes.length) return null;
    at = name.end + 4;
  }
  const sections: DnsRecord[][] = [];
  for (const field of [6, 8, 10]) {
    const records: DnsRecord[] = [];
    for (let left = bytes.readUInt16BE(field); left > 0; left -= 1) {
      const record = readRecord(bytes, at);
      if (record === null) return null;
      records.push(record);
      at = record.end;
    }
    sections.push(records);
  }
  const [answers = [], authority = [], additional = []] = sections;
  return {
    id: bytes.readUInt16BE(0),
    isAnswer: (flags & 0x8000) !== 0,
    truncated: (flags & 0x0200) !== 0,
    code: flags & 0xf,
    answers,
    authority,
    additional,
  };
}

function readRecord(bytes: Buffer, start: number): DnsRecord | null {
  const name = readName(bytes, start);
  if (name === null || name.end + 10 > bytes.length) return null;
  const { end } = name;
  const length = bytes.readUInt16BE(end + 8);
  if (end + 10 + length > bytes.length) return null;
  return {
    name: name.name,
    type: bytes.readUInt16BE(end),
    class: bytes.readUInt16BE(end + 2),
    data: bytes.subarray(end + 10, end + 10 + length),
    start,
    end: end + 10 + length,
  };
}

/** Follows pointers, backwards alone and not for ever. */
export function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } | null {
  const labels: string[] = [];
  let at = start;
  let end = -1;
  let size = 0;
  for (let jumps = 0; ;) {
    const length = bytes[at];
    if (length === undefined) return null;
    if (length >= 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined) return null;
      const target = ((length & 0x3f) << 8) | low;
      jumps += 1;
      if (target >= at || jumps > MOST_JUMPS) return null;
      if (end === -1) end = at + 2;
      at = target;
      continue;
    }
    if (length > 63 || at + 1 + length > bytes.length) return null;
    at += 1 + length;
    if (length === 0) break;
    size += length + 1;
    if (size > MOST_NAME) return null;
    labels.push(bytes.toString('latin1', at - length, at).toLowerCase());
  }
  return { name: labels.join('.'), end: end === -1 ? at : end };
}

/** Of a TXT record: its strings as one. */
export function textOf(data: Buffer): string {
  let text = '';
  for (let at = 0; at < data.length;) {
    const length = data[at] ?? 0;
    text += data.toString('latin1', at + 1, at + 1 + length);
    at += 1 + length;
  }
  return text;
}
