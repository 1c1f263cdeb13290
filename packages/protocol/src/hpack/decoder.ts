import { decodeHuffman } from './huffman.ts';
import { type HeaderField, STATIC_TABLE } from './static-table.ts';

/** What an entry costs beside its bytes (RFC 7541 §4.1). */
const ENTRY_BYTES = 32;
const STANDARD_TABLE = 4096;

/** The blocks of this direction cannot be read any more: each rests on those before it. */
export class HpackError extends Error {}

/** Reads the header blocks of one direction of a connection, in their order (RFC 7541). */
export class HpackDecoder {
  /** Newest first. */
  readonly #table: HeaderField[] = [];
  #tableBytes = 0;
  #limit = STANDARD_TABLE;
  /** What the reader has allowed the table. */
  #allowed = STANDARD_TABLE;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The reader's SETTINGS_HEADER_TABLE_SIZE; what of it the writer uses it says itself. */
  allow(bytes: number): void {
    this.#allowed = bytes;
  }

  /**
   * @param most bytes of names and values together
   * @throws HpackError
   */
  decode(block: Buffer, most: number): readonly HeaderField[] {
    this.#block = block;
    this.#at = 0;
    const fields: HeaderField[] = [];
    let bytes = 0;
    while (this.#at < block.length) {
      const field = this.#field(block[this.#at] ?? 0);
      if (field === undefined) continue;
      bytes += field[0].length + field[1].length;
      if (bytes > most) throw new HpackError(`more than ${most} bytes of fields`);
      fields.push(field);
    }
    return fields;
  }

  /** One representation (RFC 7541 §6); undefined = it was about the table alone. */
  #field(first: number): HeaderField | undefined {
    if (first >= 0x80) return this.#entry(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(6);
      this.#add(field);
      return field;
    }
    if (first >= 0x20) {
      const limit = this.#integer(5);
      if (limit > this.#allowed) throw new HpackError('a table larger than was allowed');
      this.#limit = limit;
      this.#evict();
      return undefined;
    }
    return this.#literal(4);
  }

  #literal(prefix: number): HeaderField {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): HeaderField {
    const field = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[index - STATIC_TABLE.length - 1];
    if (field === undefined) throw new HpackError(`no entry ${index}`);
    return field;
  }

  /** RFC 7541 §5.1; five bytes after the prefix hold more than any length or index may be. */
  #integer(prefix: number): number {
    const mask = 2 ** prefix - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError('a number that is too large');
  }

  #string(): string {
    const isHuffman = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw new HpackError('the block ends within a string');
    this.#at = end;
    if (!isHuffman) return this.#block.toString('latin1', start, end);
    const text = decodeHuffman(this.#block, start, end);
    if (text === undefined) throw new HpackError('no Huffman code');
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new HpackError('the block ends within a field');
    this.#at += 1;
    return byte;
  }

  #add(field: HeaderField): void {
    this.#table.unshift(field);
    this.#tableBytes += sizeOf(field);
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#limit) {
      const oldest = this.#table.pop();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: HeaderField): number {
  return name.length + value.length + ENTRY_BYTES;
}
