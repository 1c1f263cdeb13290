/**
 * Lists of what addresses belong to: a line is a range and one or several categories (`192.0.2.0/24 com.example.hooks`).
 * An address is in every range that holds it, so that each length of prefix is looked up on its own.
 */
import { parseCidr, parseIp } from '@postern/policy';

const MOST_LINES = 5_000_000;
const CATEGORY = /^[a-z0-9][a-z0-9_-]{0,63}(?:\.[a-z0-9][a-z0-9_-]{0,63}){0,7}$/;

/** Ranges of one family and one length, by their first address. */
type SameLength = Map<number | bigint, readonly string[]>;

export class Categories {
  readonly #four = new Map<number, SameLength>();
  readonly #six = new Map<number, SameLength>();
  /** Equal lists are kept once. */
  readonly #lists = new Map<string, readonly string[]>();
  #lines = 0;

  /** @throws Error that names the line */
  add(text: string): void {
    let from = 0;
    for (let number = 1; from < text.length; number++) {
      const end = text.indexOf('\n', from);
      const line = text.slice(from, end === -1 ? text.length : end);
      from = end === -1 ? text.length : end + 1;
      const [content = ''] = line.split('#', 1);
      const [range = '', ...names] = content.split(/[\s,]/).filter((word) => word !== '');
      if (range !== '') this.#addRange(range, names, number);
    }
  }

  /** Those of every range that has the address. */
  of(ip: string): readonly string[] {
    const parsed = parseIp(ip);
    if (parsed === null) return [];
    const found: string[] = [];
    if (parsed.family === 4) {
      const value = Number(parsed.value);
      for (const [length, ranges] of this.#four) {
        const list = ranges.get(value - (value % 2 ** (32 - length)));
        if (list !== undefined) found.push(...list);
      }
    } else {
      const value = BigInt(parsed.value);
      for (const [length, ranges] of this.#six) {
        const free = BigInt(128 - length);
        const list = ranges.get((value >> free) << free);
        if (list !== undefined) found.push(...list);
      }
    }
    return found;
  }

  #addRange(text: string, names: readonly string[], line: number): void {
    const range = parseCidr(text);
    if (range === null) throw new Error(`line ${line}: "${text.slice(0, 60)}" is no address and no range`);
    const wrong = names.find((name) => !CATEGORY.test(name));
    if (names.length === 0 || wrong !== undefined)
      throw new Error(`line ${line}: behind the range comes a category as com.example.hooks`);
    if (++this.#lines > MOST_LINES) throw new Error(`there are more than ${MOST_LINES} ranges`);
    const { family, first, last } = range;
    const length =
      family === 4 ? 32 - Math.log2(Number(last) - Number(first) + 1) : lengthOf(BigInt(last) - BigInt(first));
    const lengths = family === 4 ? this.#four : this.#six;
    let ranges = lengths.get(length);
    if (ranges === undefined) lengths.set(length, (ranges = new Map()));
    ranges.set(first, this.#once([...(ranges.get(first) ?? []), ...names]));
  }

  #once(names: readonly string[]): readonly string[] {
    const list = [...new Set(names)].toSorted();
    const key = list.join(' ');
    const known = this.#lists.get(key);
    if (known === undefined) this.#lists.set(key, list);
    return known ?? list;
  }
}

/** Bits that a range of such a size leaves alone. */
function lengthOf(sizeLessOne: bigint): number {
  return sizeLessOne === 0n ? 128 : 128 - sizeLessOne.toString(2).length;
}
