/**
 * Tokens of SQL → the first five that say what kind of fragment a text is: what does not change that (signs, repeated
 * arithmetic, lists, casts) is folded away as it comes. After libinjection's published behaviour.
 */
import { MOST } from './grammar.ts';
import type { Token, Tokens } from './tokens.ts';
import { kindOf } from './words.ts';

const isUnary = ({ kind, text }: Token): boolean => kind === 'o' && /^(?:[-+!~]|!!|not)$/i.test(text);
const isArithmetic = ({ kind, text }: Token): boolean => kind === 'o' && /^[-*/+%]$/.test(text);
const is = (token: Token | undefined, kinds: string): token is Token =>
  token !== undefined && kinds.includes(token.kind);

/** Names that are functions where a bracket is behind them. */
const CALLED =
  /^(?:user_id|user_name|database|password|user|current_(?:user|date|time|timestamp)|localtime|localtimestamp)$/i;

/** Five tokens that only are a sum or a list in brackets. */
const HARMLESS = /^(?:1[o,]\(1\)|no\([n1]\)|1\),\(1|n\)o\(n)$/;

export function fold(tokens: Tokens): readonly Token[] {
  return new Folder(tokens).run();
}

class Folder {
  readonly #tokens: Tokens;
  readonly #list: Token[] = [];
  #left = 0;
  #more = true;
  #comment: Token | null = null;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  run(): readonly Token[] {
    if (!this.#begin()) return [];
    for (;;) {
      this.#restart();
      if (!this.#more || this.#left >= MOST) break;
      this.#read(2);
      if (this.#list.length - this.#left < 2) {
        this.#left = this.#list.length;
        continue;
      }
      const two = this.#two();
      if (two === 'evil') return this.#list.slice(0, this.#left + 2);
      if (two) continue;
      this.#read(3);
      if (this.#list.length - this.#left < 3) {
        this.#left = this.#list.length;
        continue;
      }
      if (!this.#three()) this.#left++;
    }
    const list = this.#list.slice(0, MOST);
    if (list.length < MOST && this.#comment !== null) list.push(this.#comment);
    return list;
  }

  /** Comments, brackets, types and signs at the very beginning say nothing. */
  #begin(): boolean {
    for (;;) {
      const token = this.#tokens.next();
      if (token === null) return false;
      if (is(token, 'c(t') || isUnary(token)) continue;
      this.#list.push(token);
      return true;
    }
  }

  #restart(): void {
    if (this.#list.length < MOST) return;
    const kinds = this.#list.slice(0, MOST).map(({ kind }) => kind);
    if (!HARMLESS.test(kinds.join(''))) return;
    const sixth = this.#list[MOST];
    this.#list.length = 1;
    if (sixth !== undefined) this.#list.push(sixth);
    this.#left = 0;
  }

  #read(wanted: number): void {
    while (this.#more && this.#list.length <= MOST && this.#list.length - this.#left < wanted) {
      const token = this.#tokens.next();
      if (token === null) this.#more = false;
      else if (token.kind === 'c') this.#comment = token;
      else {
        this.#comment = null;
        this.#list.push(token);
      }
    }
  }

  /** Takes `count` tokens out, from `at` on behind the left one. */
  #drop(at: number, count: number, left: number): true {
    this.#list.splice(this.#left + at, count);
    this.#left = Math.max(left, 0);
    return true;
  }

  #two(): boolean | 'evil' {
    const a = this.#list[this.#left];
    const b = this.#list[this.#left + 1];
    if (a === undefined || b === undefined) return false;
    if (a.kind === 's' && b.kind === 's') return this.#drop(1, 1, this.#left);
    if (a.kind === ';' && b.kind === ';') return this.#drop(1, 1, this.#left);
    if (is(a, 'o&') && (isUnary(b) || b.kind === 't')) return this.#drop(1, 1, 0);
    if (a.kind === '(' && isUnary(b)) return this.#drop(1, 1, this.#left - 1);
    if (this.#merge(a, b)) return this.#drop(1, 1, this.#left - 1);
    if (a.kind === ';' && b.kind === 'f' && /^if/i.test(b.text)) {
      b.kind = 'T';
      return true;
    }
    if (is(a, 'nv') && b.kind === '(' && CALLED.test(a.text)) {
      a.kind = 'f';
      return true;
    }
    if (a.kind === 'k' && /^(?:not )?in$/i.test(a.text)) {
      a.kind = b.kind === '(' ? 'o' : 'n';
      return true;
    }
    if (a.kind === 'o' && /^(?:not )?like$/i.test(a.text)) {
      if (b.kind === '(') a.kind = 'f';
      return false;
    }
    if (a.kind === 't' && is(b, 'n1t(fvs')) return this.#drop(0, 1, 0);
    if (a.kind === 'A' && b.kind === 'n') {
      // There are too many collations to list.
      if (b.text.includes('_')) {
        b.kind = 't';
        this.#left = 0;
      }
      return false;
    }
    if (a.kind === '\\') {
      if (!isArithmetic(b)) return this.#drop(0, 1, 0);
      a.kind = '1';
      this.#left = 0;
      return true;
    }
    if ((a.kind === '(' && b.kind === '(') || (a.kind === ')' && b.kind === ')')) return this.#drop(1, 1, 0);
    if (a.kind === '{' && b.kind === 'n') {
      if (b.text === '') {
        b.kind = 'X';
        return 'evil';
      }
      return this.#drop(0, 2, 0);
    }
    return b.kind === '}' ? this.#drop(1, 1, 0) : false;
  }

  /** `UNION` and `ALL` are one word. */
  #merge(a: Token, b: Token): boolean {
    if (!is(a, 'knoUfETt') || !is(b, 'knoUfETt&')) return false;
    const text = `${a.text} ${b.text}`;
    const kind = kindOf(text);
    if (kind === null) return false;
    this.#list[this.#left] = { ...a, kind, text };
    return true;
  }

  #three(): boolean {
    const [a, b, c] = this.#list.slice(this.#left, this.#left + 3);
    if (a === undefined || b === undefined || c === undefined) return false;
    if (b.kind === 'o') {
      if (a.kind === '1' && c.kind === '1') return this.#drop(1, 2, 0);
      if (a.kind === 'v' && is(c, 'v1n')) return this.#drop(1, 2, 0);
      if (is(a, 'n1') && is(c, '1n')) return this.#drop(1, 2, 0);
      if (is(a, 'n1vs') && b.text === '::' && c.kind === 't') return this.#drop(1, 2, 0);
    }
    if (a.kind === 'o' && b.kind !== '(' && c.kind === 'o') return this.#drop(1, 2, 0);
    if (a.kind === '&' && c.kind === '&') return this.#drop(1, 2, 0);
    if (is(a, 'n1sv') && b.kind === ',' && is(c, '1nsv')) return this.#drop(1, 2, 0);
    if (isUnary(b)) {
      if (is(a, 'EB,') && c.kind === '(') return this.#drop(1, 1, 0);
      if (is(a, 'kEB') && is(c, '1nvsf')) return this.#drop(1, 1, 0);
      // `1,-1`: as `1,1`, and that is folded with what is before it.
      if (a.kind === ',' && is(c, '1nvs')) return this.#drop(0, 3, 0);
      if (a.kind === ',' && c.kind === 'f') return this.#drop(1, 1, 0);
    }
    if (a.kind === 'n' && b.kind === '.' && c.kind === 'n') return this.#drop(1, 2, 0);
    if (a.kind === 'E' && b.kind === '.' && c.kind === 'n') return this.#drop(1, 1, 0);
    if (a.kind === 'f' && b.kind === '(' && c.kind !== ')' && /^user$/i.test(a.text)) a.kind = 'n';
    return false;
  }
}
