/**
 * Reads requests as permissive servers do: bare line feeds end lines, folded lines go on, whitespace around names is
 * dropped, the last of several lengths counts, `chunked` is found anywhere in a coding, sizes are read as far as they
 * are digits. Two tempers differ where real servers do: which of length and coding frames a message that has both.
 */

export interface LenientMessage {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Lower-case names, values trimmed, in order; those behind the body as `trailer <name>`. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** latin1 */
  readonly body: string;
  /** Head as it came, latin1. */
  readonly head: string;
  /** Offset behind the message in everything that was pushed. */
  readonly end: number;
}

export type Temper = 'coding-first' | 'length-first';

interface Open {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: [string, string][];
  readonly head: string;
  readonly chunked: boolean;
  /** Where the body starts in what is held. */
  readonly bodyAt: number;
  readonly length: number;
}

export class LenientReader {
  readonly messages: LenientMessage[] = [];
  /** A message with `Expect` has begun since this was last read. */
  get wantsContinue(): boolean {
    const wanted = this.#continue;
    this.#continue = false;
    return wanted;
  }
  readonly #temper: Temper;
  #held = '';
  #taken = 0;
  #open: Open | null = null;
  #continue = false;

  constructor(temper: Temper) {
    this.#temper = temper;
  }

  /** Bytes behind the last complete message. */
  get pending(): number {
    return this.#held.length;
  }

  push(chunk: Buffer): void {
    this.#held += chunk.toString('latin1');
    for (;;) {
      this.#open ??= this.#readHead();
      const open = this.#open;
      if (open === null) return;
      const body = open.chunked ? readChunks(this.#held, open.bodyAt) : this.#readLength(open);
      if (body === null) return;
      this.#taken += body.end;
      this.#held = this.#held.slice(body.end);
      this.#open = null;
      const { method, target, version, head } = open;
      const fields = [...open.fields, ...body.trailers];
      this.messages.push({ method, target, version, fields, head, body: body.text, end: this.#taken });
    }
  }

  #readLength({ bodyAt, length }: Open): Body | null {
    if (this.#held.length < bodyAt + length) return null;
    return { text: this.#held.slice(bodyAt, bodyAt + length), end: bodyAt + length, trailers: [] };
  }

  #readHead(): Open | null {
    const skipped = /^(\r?\n)+/.exec(this.#held)?.[0].length ?? 0;
    const end = /\r?\n\r?\n/.exec(this.#held.slice(skipped));
    if (end === null) return null;
    const bodyAt = skipped + end.index + end[0].length;
    const head = this.#held.slice(skipped, bodyAt);
    const [first = '', ...lines] = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    const [method = '', target = '', version = ''] = first.trim().split(/\s+/);
    const fields: [string, string][] = [];
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon === -1) continue;
      fields.push([line.slice(0, colon).trim().toLowerCase().replaceAll('_', '-'), line.slice(colon + 1).trim()]);
    }
    const lengths = fields.filter(([name]) => name === 'content-length').map(([, value]) => value);
    const coded = fields.some(([name, value]) => name === 'transfer-encoding' && /chunked/i.test(value));
    if (fields.some(([name]) => name === 'expect')) this.#continue = true;
    const chunked = coded && (this.#temper === 'coding-first' || lengths.length === 0);
    const length = Number(/\d+/.exec(lengths.at(-1) ?? '')?.[0] ?? 0);
    return { method, target, version, fields, head, chunked, bodyAt, length };
  }
}

interface Body {
  readonly text: string;
  readonly end: number;
  readonly trailers: readonly [string, string][];
}

function readChunks(text: string, start: number): Body | null {
  let at = start;
  let body = '';
  for (;;) {
    const line = /\r?\n/.exec(text.slice(at));
    if (line === null) return null;
    const size = Number.parseInt(text.slice(at, at + line.index), 16);
    at += line.index + line[0].length;
    if (!(size > 0)) break;
    if (text.length < at + size) return null;
    body += text.slice(at, at + size);
    at += size;
    const end = /^\r?\n/.exec(text.slice(at));
    if (end === null) {
      if (text.length < at + 2) return null;
      continue;
    }
    at += end[0].length;
  }
  const trailers: [string, string][] = [];
  for (;;) {
    const line = /\r?\n/.exec(text.slice(at));
    if (line === null) return null;
    const [name = '', value = ''] = text.slice(at, at + line.index).split(/:(.*)/);
    at += line.index + line[0].length;
    if (line.index === 0) return { text: body, end: at, trailers };
    trailers.push([`trailer ${name.trim().toLowerCase()}`, value.trim()]);
  }
}
