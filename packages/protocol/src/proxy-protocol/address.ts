import { isIPv4 } from 'node:net';

/** The bytes of an IP address; an IPv4 one becomes its mapped form where 16 are wanted. */
export function addressBytes(address: string, size: 4 | 16): Buffer {
  const bytes = Buffer.alloc(size);
  if (isIPv4(address)) {
    const parts = address.split('.').map(Number);
    if (size === 16) bytes.writeUInt16BE(0xffff, 10);
    bytes.set(parts, size - 4);
    return bytes;
  }
  const [head = '', tail] = address.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  for (const [index, group] of before.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of after.entries()) bytes.writeUInt16BE(group, 16 - 2 * (after.length - index));
  return bytes;
}

/** Text of an IP address given as 4 or 16 bytes; IPv6 with the longest run of zero groups shortened (RFC 5952). */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const values = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  const texts = values.map((value) => value.toString(16));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && values[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return texts.join(':');
  return `${texts.slice(0, best.start).join(':')}::${texts.slice(best.start + best.length).join(':')}`;
}

/** The 16-bit groups of one side of "::"; a dotted tail counts as two. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
