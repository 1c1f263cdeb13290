/**
 * JSON → arguments: `{"a":{"b":[1]}}` is `json.a.b.0=1`. Read by code of our own, as bodies may be cut (only their
 * beginning is looked at) and as each value is wanted with its path, in bounded depth.
 */
import { addEntry, type Entry } from './parts.ts';

const MOST_DEPTH = 64;

export interface ReadJson {
  readonly entries: readonly Entry[];
  /** null, or why it is none. What stands before the mistake is in `entries`. */
  readonly problem: string | null;
}

/** @param text bytes, one to a character. @throws Exhausted */
export function parseJson(text: string): ReadJson {
  const reader = new JsonReader(text);
  return { entries: reader.entries, problem: reader.read() };
}

class Broken extends Error {}

class JsonReader {
  readonly entries: Entry[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): string | null {
    try {
      this.#value('json', 0);
      this.#space();
      return this.#at < this.#text.length ? 'there is more behind it' : null;
    } catch (error) {
      if (error instanceof Broken) return error.message;
      throw error;
    }
  }

  #value(path: string, depth: number): void {
    this.#space();
    const first = this.#text.charAt(this.#at);
    if (depth > MOST_DEPTH) throw new Broken('it is nested too deep');
    if (first === '{') this.#members(path, depth, '}');
    else if (first === '[') this.#members(path, depth, ']');
    else if (first === '"') addEntry(this.entries, path, this.#string());
    else this.#word(path);
  }

  #members(path: string, depth: number, close: string): void {
    this.#at++;
    this.#space();
    // A list has its own name as well, which rules look at.
    if (close === ']') addEntry(this.entries, path, '');
    if (this.#take(close)) return;
    for (let index = 0; ; index++) {
      this.#space();
      let key = String(index);
      if (close === '}') {
        if (this.#text.charAt(this.#at) !== '"') throw new Broken('a name is missing');
        key = this.#string();
        this.#space();
        if (!this.#take(':')) throw new Broken('a colon is missing');
      }
      this.#value(`${path}.${key}`, depth + 1);
      this.#space();
      if (this.#take(close)) return;
      if (!this.#take(',')) throw new Broken('a comma is missing');
    }
  }

  /** A string that is not closed counts with what there is. */
  #string(): string {
    let out = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === '"') {
        this.#at++;
        return out;
      }
      out += char === '\\' ? this.#escape() : char;
    }
    return out;
  }

  #escape(): string {
    const char = this.#text.charAt(++this.#at);
    if (char !== 'u') return ESCAPES.get(char) ?? char;
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Broken('an escape is none');
    this.#at += 4;
    return Buffer.from(String.fromCharCode(Number.parseInt(digits, 16)), 'utf8').toString('latin1');
  }

  #word(path: string): void {
    const from = this.#at;
    while (this.#at < this.#text.length && /[-+.\w]/.test(this.#text.charAt(this.#at))) this.#at++;
    const word = this.#text.slice(from, this.#at);
    const known = word === 'true' || word === 'false' || word === 'null' || /^-?\d[-+.\dEe]*$/.test(word);
    if (!known) throw new Broken('a value is missing');
    addEntry(this.entries, path, word === 'null' ? '' : word);
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text.charAt(this.#at))) this.#at++;
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
