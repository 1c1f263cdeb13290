/** Many phrases looked for in one pass over a text (Aho and Corasick, 1975), whatever the number of phrases. */

/** Edges of one node are at most this many: a byte each. */
const BYTES = 256;

export class Phrases {
  /** node × 256 + byte → node. */
  readonly #edges = new Map<number, number>();
  /** Where to go on when a node has no edge for a byte. */
  readonly #fails: Int32Array;
  /** Length of the phrase that ends at a node, or at one that it falls back to; 0 = none does. */
  readonly #lengths: Int32Array;

  /** @param phrases in lower case */
  constructor(phrases: readonly string[]) {
    const lengths: number[] = [0];
    for (const phrase of phrases) {
      let node = 0;
      for (let i = 0; i < phrase.length; i++) {
        const edge = node * BYTES + (phrase.charCodeAt(i) & 0xff);
        let next = this.#edges.get(edge);
        if (next === undefined) {
          next = lengths.length;
          lengths.push(0);
          this.#edges.set(edge, next);
        }
        node = next;
      }
      if (phrase.length > 0) lengths[node] = phrase.length;
    }
    this.#lengths = Int32Array.from(lengths);
    this.#fails = new Int32Array(lengths.length);
    this.#link();
  }

  /** @returns the phrase that ends first, as it stands in the text, or null */
  find(text: string): string | null {
    let node = 0;
    for (let at = 0; at < text.length; at++) {
      let code = text.charCodeAt(at) & 0xff;
      if (code >= 65 && code <= 90) code += 32;
      node = this.#step(node, code);
      const length = this.#lengths[node] ?? 0;
      if (length > 0) return text.slice(at + 1 - length, at + 1);
    }
    return null;
  }

  #step(from: number, code: number): number {
    for (let node = from; ; node = this.#fails[node] ?? 0) {
      const next = this.#edges.get(node * BYTES + code);
      if (next !== undefined) return next;
      if (node === 0) return 0;
    }
  }

  /** Edges were made parents first, so that whoever is fallen back to is linked already. */
  #link(): void {
    const byDepth: [edge: number, node: number][][] = [];
    const depths = new Int32Array(this.#lengths.length);
    for (const [edge, node] of this.#edges) {
      const depth = (depths[Math.floor(edge / BYTES)] ?? 0) + 1;
      depths[node] = depth;
      (byDepth[depth] ??= []).push([edge, node]);
    }
    for (const level of byDepth) {
      for (const [edge, node] of level ?? []) {
        const parent = Math.floor(edge / BYTES);
        const fail = parent === 0 ? 0 : this.#step(this.#fails[parent] ?? 0, edge % BYTES);
        this.#fails[node] = fail;
        if (this.#lengths[node] === 0) this.#lengths[node] = this.#lengths[fail] ?? 0;
      }
    }
  }
}
