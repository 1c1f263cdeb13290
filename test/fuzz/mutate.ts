/** Mutations of bytes and texts, and ways to cut a byte stream into chunks. */
import type { Dice } from '@postern/edge/testing/dice';

/** Longest input of a case. */
const MOST_BYTES = 65_536;
/** Bytes that mean something to one parser or another. */
const TELLING = [0, 1, 9, 10, 11, 13, 32, 34, 35, 44, 45, 47, 48, 58, 59, 64, 91, 92, 93, 95, 123, 125, 127, 128, 255];
const NUMBERS = ['0', '00', '1', '-1', '+1', '7fffffff', '80000000', 'ffffffff', '9007199254740993', '1e999', '0x10'];

export interface Material {
  /** Whole inputs, valid and nearly valid. */
  readonly corpus: readonly [Buffer, ...Buffer[]];
  /** Words of the language, to be put in, or in each other's place. */
  readonly tokens: readonly [Buffer, ...Buffer[]];
}

export function materialOf(
  corpus: readonly [string | Buffer, ...(string | Buffer)[]],
  tokens: readonly [string, ...string[]],
): Material {
  return { corpus: mapped(corpus, latin1), tokens: mapped(tokens, latin1) };
}

function latin1(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

function mapped<A, B>([first, ...rest]: readonly [A, ...A[]], change: (one: A) => B): [B, ...B[]] {
  return [change(first), ...rest.map((one) => change(one))];
}

/** One of the corpus or a few of them in a row, mutated up to five times; one in eight is left as it is. */
export function mutatedOf(material: Material, dice: Dice): Buffer {
  let bytes = dice.pick(material.corpus);
  while (dice.once(4)) bytes = Buffer.concat([bytes, dice.pick(material.corpus)]);
  if (dice.once(8)) return bytes.subarray(0, MOST_BYTES);
  for (let left = 1 + dice.below(5); left > 0; left--) bytes = mutate(bytes, material, dice);
  return bytes.subarray(0, MOST_BYTES);
}

export function mutate(bytes: Buffer, material: Material, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1);
  switch (dice.below(10)) {
    case 0:
      return set(bytes, at, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
    case 1:
      return set(bytes, at, tellingByte(dice));
    case 2:
      return replace(bytes, at, at, Buffer.from([tellingByte(dice)]));
    case 3:
      return replace(bytes, at, at + 1 + dice.below(dice.once(4) ? 40 : 3), EMPTY);
    case 4:
      return replace(bytes, at, at, bytes.subarray(at, at + 1 + dice.below(40)));
    case 5: {
      // The rest of another one.
      const other = dice.pick(material.corpus);
      return replace(bytes, at, bytes.length, other.subarray(dice.below(other.length + 1)));
    }
    case 6:
      return newNumber(bytes, at, dice);
    case 7:
      return newToken(bytes, at, material, dice);
    case 8:
      return replace(bytes, at, at, dice.pick(material.tokens));
    default:
      return moved(bytes, at, dice);
  }
}

/** As {@link mutate}, for a text; sometimes with a character that is no byte. */
export function mutateText(text: string, material: Material, dice: Dice): string {
  const changed = mutate(Buffer.from(text, 'latin1'), material, dice).toString('latin1');
  if (!dice.once(16)) return changed;
  const at = dice.below(changed.length + 1);
  return changed.slice(0, at) + String.fromCharCode(dice.below(65_536)) + changed.slice(at);
}

/** The same bytes in chunks: whole, byte by byte, in two, or in pieces of random sizes; none is empty. */
export function cut(bytes: Buffer, dice: Dice): Buffer[] {
  const kind = dice.below(4);
  if (kind === 0 || bytes.length < 2) return bytes.length === 0 ? [] : [bytes];
  if (kind === 1) {
    const middle = 1 + dice.below(bytes.length - 1);
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
  const most = kind === 2 && bytes.length < 2_000 ? 1 : 1 + dice.below(80);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + dice.below(most);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** A case's chunks as one line of text: latin1, escaped, a bar between chunks. */
export function showChunks(chunks: readonly Buffer[]): string {
  const shown = chunks.map((chunk) => JSON.stringify(chunk.toString('latin1')).slice(1, -1)).join('|');
  return shown.length > 3_000 ? `${shown.slice(0, 3_000)}… (${shown.length} characters)` : shown;
}

const EMPTY = Buffer.alloc(0);

function tellingByte(dice: Dice): number {
  return dice.once(3) ? dice.below(256) : (TELLING[dice.below(TELLING.length)] ?? 0);
}

function set(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = value;
  return copy;
}

function replace(bytes: Buffer, from: number, to: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

/** The next decimal number gets another value. */
function newNumber(bytes: Buffer, at: number, dice: Dice): Buffer {
  let from = at;
  while (from < bytes.length && !isDigit(bytes[from])) from++;
  let to = from;
  while (isDigit(bytes[to])) to++;
  const value = Number(bytes.toString('latin1', from, Math.min(to, from + 15)));
  const texts = [...NUMBERS, String(value + 1), String(Math.max(0, value - 1)), `0${value}`, `${value},${value}`];
  return replace(bytes, from, to, Buffer.from(texts[dice.below(texts.length)] ?? ''));
}

/** The next word becomes another one. */
function newToken(bytes: Buffer, at: number, material: Material, dice: Dice): Buffer {
  const old = dice.pick(material.tokens);
  const from = bytes.indexOf(old, at);
  if (from === -1) return replace(bytes, at, at, dice.pick(material.tokens));
  return replace(bytes, from, from + old.length, dice.pick(material.tokens));
}

/** A piece is taken out and put back somewhere else. */
function moved(bytes: Buffer, at: number, dice: Dice): Buffer {
  const to = at + 1 + dice.below(30);
  const piece = bytes.subarray(at, to);
  const rest = replace(bytes, at, to, EMPTY);
  const back = dice.below(rest.length + 1);
  return replace(rest, back, back, piece);
}
