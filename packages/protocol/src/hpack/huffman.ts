/**
 * The code of RFC 7541, Appendix B. It is canonical: codes of one length are numbered in the order of their symbols, and
 * each length goes on where the shorter one ended, so the lengths say it all.
 */
const LENGTHS =
  '13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 ' +
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 ' +
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 ' +
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 ' +
  '20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 ' +
  '22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 ' +
  '26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 ' +
  '20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26 30';

/** The symbol that ends a string and may not be in one. */
const END = 256;
/** Of a byte, what may be left at the end: fewer bits than this, all ones. */
const MOST_PADDING = 7;

/** Nodes of the tree, two places each: what 0 and 1 lead to. Below zero: symbol -1-n. 0: nothing. */
let tree: Int16Array | undefined;

/** @returns undefined when the bytes are no such code, or end within a symbol */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const nodes = (tree ??= treeOf(LENGTHS.split(' ').map(Number)));
  const text: number[] = [];
  let node = 0;
  let depth = 0;
  let onlyOnes = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let shift = 7; shift >= 0; shift -= 1) {
      const bit = (byte >> shift) & 1;
      const next = nodes[node * 2 + bit] ?? 0;
      if (next >= 0) {
        if (next === 0) return undefined;
        node = next;
        depth += 1;
        onlyOnes &&= bit === 1;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === END) return undefined;
      text.push(symbol);
      node = 0;
      depth = 0;
      onlyOnes = true;
    }
  }
  if (depth > MOST_PADDING || !onlyOnes) return undefined;
  return Buffer.from(text).toString('latin1');
}

function treeOf(lengths: readonly number[]): Int16Array {
  const nodes = [0, 0];
  const inOrder = lengths
    .map((length, symbol) => ({ length, symbol }))
    .toSorted((left, right) => left.length - right.length || left.symbol - right.symbol);
  let code = 0;
  let before = 0;
  for (const { length, symbol } of inOrder) {
    code *= 2 ** (length - before);
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const place = node * 2 + (Math.floor(code / 2 ** bit) % 2);
      if (nodes[place] === 0) {
        nodes[place] = nodes.length / 2;
        nodes.push(0, 0);
      }
      node = nodes[place] ?? 0;
    }
    nodes[node * 2 + (code % 2)] = -1 - symbol;
    code += 1;
  }
  return Int16Array.from(nodes);
}
