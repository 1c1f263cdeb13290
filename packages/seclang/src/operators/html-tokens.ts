/**
 * Texts as a lenient browser would cut them: tags, attributes, comments (HTML 5 §13.2.5, with what old browsers took
 * besides). One pass, without a tree.
 */

export type HtmlToken = 'text' | 'tag' | 'close' | 'name' | 'value' | 'comment' | 'doctype';

/** Where in a document the text is put: between tags, in a tag, in a quoted value. */
export type HtmlContext = 'data' | 'tag' | "'" | '"' | '`';

export type OnToken = (kind: HtmlToken, value: string) => boolean;

const SPACE = /[ \t\n\v\f\r]/;

/** @param on told of each token; true = enough */
export function htmlTokens(text: string, context: HtmlContext, on: OnToken): boolean {
  return new HtmlReader(text, on).read(context);
}

class HtmlReader {
  readonly #text: string;
  readonly #on: OnToken;
  #at = 0;

  constructor(text: string, on: OnToken) {
    this.#text = text;
    this.#on = on;
  }

  read(context: HtmlContext): boolean {
    if (context === 'data') return this.#data();
    if (context === 'tag') return this.#attributes();
    // The text begins within a value, whose quote is before it.
    return this.#quoted(context) || this.#attributes();
  }

  #data(): boolean {
    const text = this.#text;
    for (;;) {
      const open = text.indexOf('<', this.#at);
      if (open < 0) return false;
      this.#at = open + 1;
      if (this.#markup()) return true;
    }
  }

  /** Behind a `<`. */
  #markup(): boolean {
    const text = this.#text;
    const next = text.charAt(this.#at);
    if (next === '!') return this.#declaration();
    if (next === '?') return this.#until('>', this.#at + 1);
    if (next === '%') return this.#until('%>', this.#at + 1);
    const closing = next === '/';
    if (closing) this.#at++;
    const first = text.charAt(this.#at);
    if (!/[a-zA-Z\0]/.test(first)) return closing && first !== '>' && first !== '' ? this.#until('>', this.#at) : false;
    let end = this.#at;
    while (end < text.length && !SPACE.test(text.charAt(end)) && text.charAt(end) !== '/' && text.charAt(end) !== '>')
      end++;
    const name = text.slice(this.#at, end);
    this.#at = end;
    if (this.#on(closing && text.charAt(end) === '>' ? 'close' : 'tag', name)) return true;
    return this.#attributes();
  }

  /** Behind `<!`. */
  #declaration(): boolean {
    const text = this.#text;
    const from = this.#at + 1;
    if (text.slice(from, from + 7).toUpperCase() === 'DOCTYPE') return this.#on('doctype', '');
    if (text.startsWith('[CDATA[', from)) {
      const end = text.indexOf(']]>', from);
      this.#at = end < 0 ? text.length : end + 3;
      return false;
    }
    if (!text.startsWith('--', from)) return this.#until('>', from);
    const match = /-\0*[-!]>/g;
    match.lastIndex = from + 2;
    const found = match.exec(text);
    const comment = text.slice(from + 2, found === null ? text.length : found.index);
    this.#at = found === null ? text.length : found.index + found[0].length;
    return this.#on('comment', comment);
  }

  #until(mark: string, from: number): boolean {
    const end = this.#text.indexOf(mark, from);
    const comment = this.#text.slice(from, end < 0 ? this.#text.length : end);
    this.#at = end < 0 ? this.#text.length : end + mark.length;
    return this.#on('comment', comment);
  }

  /** Names and values, up to the end of the tag; then what is behind it. */
  #attributes(): boolean {
    const text = this.#text;
    for (;;) {
      this.#skip(/[ \t\n\v\f\r\0/]/);
      if (this.#at >= text.length) return false;
      if (text.charAt(this.#at) === '>') {
        this.#at++;
        return this.#data();
      }
      const from = this.#at;
      let end = from + 1;
      while (end < text.length && !/[ \t\n\v\f\r/=>]/.test(text.charAt(end))) end++;
      this.#at = end;
      if (this.#on('name', text.slice(from, end))) return true;
      this.#skip(/[ \t\n\v\f\r\0]/);
      if (text.charAt(this.#at) !== '=') continue;
      this.#at++;
      if (this.#value()) return true;
    }
  }

  #value(): boolean {
    const text = this.#text;
    this.#skip(/[ \t\n\v\f\r\0]/);
    const quote = text.charAt(this.#at);
    if (quote === '"' || quote === "'" || quote === '`') {
      this.#at++;
      return this.#quoted(quote);
    }
    const from = this.#at;
    while (this.#at < text.length && !SPACE.test(text.charAt(this.#at)) && text.charAt(this.#at) !== '>') this.#at++;
    return this.#on('value', text.slice(from, this.#at));
  }

  #quoted(quote: string): boolean {
    const end = this.#text.indexOf(quote, this.#at);
    const value = this.#text.slice(this.#at, end < 0 ? this.#text.length : end);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return this.#on('value', value);
  }

  #skip(what: RegExp): void {
    while (this.#at < this.#text.length && what.test(this.#text.charAt(this.#at))) this.#at++;
  }
}
