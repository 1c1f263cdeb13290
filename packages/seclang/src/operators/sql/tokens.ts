/** Texts → tokens of SQL, of any dialect, also where the text begins within a string. After libinjection's published behaviour. */
import { kindOf, LONGEST_WORD } from './words.ts';

export interface Token {
  /** words.ts; and `s` a string, `c` a comment, `X` what no dialect agrees on, or the sign itself. */
  kind: string;
  /** Its beginning. */
  readonly text: string;
  /** Its quotes; '' = the text began, or ended, within it. */
  readonly open: string;
  readonly close: string;
}

export type Dialect = 'ansi' | 'mysql';

const WORD_END = /[ [\]{}<>:\\?=@!#~+\-*/&|^%(),';\t\n\v\f\r"\xa0\0]/g;
const NAME_END = /[ <>:\\?=@!#~+\-*/&|^%(),';\t\n\v\f\r`"]/g;
const NUMBER =
  /(?:0[xX][0-9a-fA-F]{1,4096}|0[bB][01]{1,4096}|[0-9]{0,4096}(?:\.[0-9]{0,4096})?(?:[eE][+-]?[0-9]{0,4096})?)/y;
const DIGITS = /[0-9.,]{1,4096}/y;
const TAG = /[A-Za-z]{1,64}\$/y;

/** Control characters count as well. */
function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code <= 32 || code === 127 || code === 160;
}

export class Tokens {
  /** How many were read. */
  count = 0;
  /** Whether `--x` or `#` was read, which MySQL takes otherwise. */
  ambiguous = false;
  readonly #text: string;
  readonly #dialect: Dialect;
  #quote: string;
  #at = 0;

  /** @param quote the string that the text begins in; '' = none */
  constructor(text: string, quote: string, dialect: Dialect) {
    this.#text = text;
    this.#quote = quote;
    this.#dialect = dialect;
  }

  next(): Token | null {
    const text = this.#text;
    if (this.#quote !== '') {
      const quote = this.#quote;
      this.#quote = '';
      this.count++;
      return this.#string(quote, 0, '');
    }
    while (this.#at < text.length && isBlank(text, this.#at)) this.#at++;
    if (this.#at >= text.length) return null;
    this.count++;
    return this.#token(text.charAt(this.#at));
  }

  #token(char: string): Token {
    const text = this.#text;
    const next = text.charAt(this.#at + 1);
    switch (char) {
      case "'":
      case '"':
        return this.#string(char, 1, char);
      case '`':
        return this.#ticked();
      case '(':
      case ')':
      case ',':
      case ';':
      case '{':
      case '}':
        return this.#take(char, 1);
      case '#':
        this.ambiguous = true;
        return this.#dialect === 'mysql' ? this.#comment() : this.#take('o', 1);
      case '-':
        return this.#dash(next);
      case '/':
        return next === '*' ? this.#block() : this.#take('o', 1);
      case '\\':
        return next === 'N' ? this.#take('1', 2) : this.#take('\\', 1);
      case '+':
      case '%':
      case '^':
      case '~':
        return this.#take('o', 1);
      case '?':
      case ']':
        return this.#take('?', 1);
      case '@':
        return this.#variable(next);
      case '$':
        return this.#money(next);
      case '[': {
        const end = text.indexOf(']', this.#at);
        return this.#take('n', end < 0 ? text.length - this.#at : end + 1 - this.#at);
      }
      default:
        if (/[!&*:<=>|]/.test(char)) return this.#operator(char, next);
        if (/[0-9.]/.test(char)) return this.#number();
        return this.#word(next);
    }
  }

  #take(kind: string, length: number): Token {
    const text = this.#text.slice(this.#at, this.#at + Math.min(length, LONGEST_WORD));
    this.#at += length;
    return { kind, text, open: '', close: '' };
  }

  #comment(): Token {
    const end = this.#text.indexOf('\n', this.#at);
    return this.#take('c', (end < 0 ? this.#text.length : end) - this.#at);
  }

  #dash(next: string): Token {
    if (next !== '-') return this.#take('o', 1);
    const behind = this.#text.charAt(this.#at + 2);
    if (behind === '' || isBlank(behind, 0)) return this.#comment();
    if (this.#dialect === 'mysql') return this.#take('o', 1);
    this.ambiguous = true;
    return this.#comment();
  }

  /** Comments within comments, and those that MySQL runs, are read otherwise by every dialect. */
  #block(): Token {
    const text = this.#text;
    const end = text.indexOf('*/', this.#at + 2);
    const inner = text.slice(this.#at + 2, end < 0 ? text.length : end);
    const odd = inner.startsWith('!') || (end >= 0 && `${inner}*`.includes('/*'));
    return this.#take(odd ? 'X' : 'c', end < 0 ? text.length - this.#at : end + 2 - this.#at);
  }

  #operator(char: string, next: string): Token {
    if (this.#text.startsWith('<=>', this.#at)) return this.#take('o', 3);
    const kind = kindOf(char + next);
    if (kind !== null && next !== '') return this.#take(kind, 2);
    return this.#take(char === ':' ? ':' : 'o', 1);
  }

  /** Up to a quote that is neither doubled nor behind a backslash. @param skip of the opening quote */
  #string(quote: string, skip: number, open: string): Token {
    const text = this.#text;
    const from = this.#at + skip;
    let end = text.indexOf(quote, from);
    while (end >= 0) {
      let slashes = 0;
      while (end - 1 - slashes >= from && text.charAt(end - 1 - slashes) === '\\') slashes++;
      const doubled = text.charAt(end + 1) === quote;
      if (slashes % 2 === 0 && !doubled) break;
      end = text.indexOf(quote, end + (slashes % 2 === 0 ? 2 : 1));
    }
    const value = text.slice(from, end < 0 ? text.length : end).slice(0, LONGEST_WORD);
    this.#at = end < 0 ? text.length : end + 1;
    return { kind: 's', text: value, open, close: end < 0 ? '' : quote };
  }

  #ticked(): Token {
    const token = this.#string('`', 1, '`');
    token.kind = kindOf(token.text) === 'f' ? 'f' : 'n';
    return token;
  }

  #variable(next: string): Token {
    this.#at += next === '@' ? 2 : 1;
    const quote = this.#text.charAt(this.#at);
    if (quote === '`' || quote === "'" || quote === '"') {
      const token = this.#string(quote, 1, quote);
      token.kind = 'v';
      return token;
    }
    NAME_END.lastIndex = this.#at;
    const end = NAME_END.exec(this.#text)?.index ?? this.#text.length;
    return this.#take('v', end - this.#at);
  }

  /** `$1,000.00`, `$$text$$`, `$tag$text$tag$`. */
  #money(next: string): Token {
    const text = this.#text;
    DIGITS.lastIndex = this.#at + 1;
    const digits = DIGITS.exec(text)?.[0] ?? '';
    if (digits === '.') return this.#word(next);
    if (digits !== '') return this.#take('1', 1 + digits.length);
    TAG.lastIndex = this.#at + 1;
    const mark = next === '$' ? '$$' : `$${TAG.exec(text)?.[0] ?? ''}`;
    if (mark === '$') return this.#take('n', 1);
    const from = this.#at + mark.length;
    const end = text.indexOf(mark, from);
    const value = text.slice(from, end < 0 ? text.length : end).slice(0, LONGEST_WORD);
    this.#at = end < 0 ? text.length : end + mark.length;
    return { kind: 's', text: value, open: '$', close: end < 0 ? '' : '$' };
  }

  #number(): Token {
    const text = this.#text;
    NUMBER.lastIndex = this.#at;
    const written = NUMBER.exec(text)?.[0] ?? '';
    if (written === '.') return this.#take('.', 1);
    if (/^0[xXbB]$/.test(text.slice(this.#at, this.#at + 2)) && !/^0[xXbB]./.test(written)) return this.#take('n', 2);
    // `10.e` is a name, not a number.
    if (/[eE][+-]?$/.test(written) && !/^0[xX]/.test(written)) return this.#take('n', written.length);
    const suffix = text.charAt(this.#at + written.length);
    const behind = text.charAt(this.#at + written.length + 1);
    const floating =
      /[dDfF]/.test(suffix) && (behind === '' || behind === ';' || /[uU]/.test(behind) || isBlank(behind, 0));
    return this.#take('1', written.length + (floating ? 1 : 0));
  }

  /** Words, and strings with a letter before them. */
  #word(next: string): Token {
    const text = this.#text;
    const first = text.charAt(this.#at).toLowerCase();
    if (next === "'" && this.#at + 2 < text.length) {
      const literal = first === 'b' || first === 'x' ? /^.'[0-9a-fA-F]{0,4096}'/.exec(text.slice(this.#at)) : null;
      if (literal !== null && (first === 'x' || /^.'[01]*'$/.test(literal[0])))
        return this.#take('1', literal[0].length);
      if (first === 'e' || first === 'n') return this.#string("'", 2, "'");
      if (first === 'q') return this.#quoted(1);
    }
    if (first === 'n' && /^[qQ]'/.test(text.slice(this.#at + 1, this.#at + 3))) return this.#quoted(2);
    if (first === 'u' && next === '&' && text.charAt(this.#at + 2) === "'") return this.#string("'", 3, 'u');
    WORD_END.lastIndex = this.#at;
    const end = WORD_END.exec(text)?.index ?? text.length;
    const word = text.slice(this.#at, Math.min(end, this.#at + LONGEST_WORD));
    // `SELECT.1`, SELECT`a`: what is before the sign counts, when it is a keyword.
    for (let at = 1; at < word.length; at++) {
      if (word.charAt(at) !== '.' && word.charAt(at) !== '`') continue;
      const kind = kindOf(word.slice(0, at));
      if (kind !== null && kind !== 'n') return this.#take(kind, at);
    }
    return this.#take(end - this.#at > LONGEST_WORD ? 'n' : (kindOf(word) ?? 'n'), Math.max(end - this.#at, 1));
  }

  /** Oracle's `q'[text]'`. */
  #quoted(letters: number): Token {
    const text = this.#text;
    const from = this.#at + letters + 1;
    const open = text.charAt(from);
    const close = `${{ '(': ')', '[': ']', '{': '}', '<': '>' }[open] ?? open}'`;
    const end = text.indexOf(close, from + 1);
    const value = text.slice(from + 1, end < 0 ? text.length : end).slice(0, LONGEST_WORD);
    this.#at = end < 0 ? text.length : end + 2;
    return { kind: 's', text: value, open: 'q', close: end < 0 ? '' : 'q' };
  }
}
