/** What requests have, each taken apart when a rule asks for it first. */
import { parseJson } from '../body/json.ts';
import { parseMultipart, type ReadMultipart } from '../body/multipart.ts';
import type { Entry } from '../body/parts.ts';
import { parseUrlEncoded } from '../body/urlencoded.ts';
import { parseXml, type ReadXml } from '../body/xml.ts';
import type { RequestMessage } from '../run/message.ts';
import { urlDecode } from '../transformations/url.ts';

export type BodyProcessor = '' | 'URLENCODED' | 'MULTIPART' | 'JSON' | 'XML';

const NO_MULTIPART: ReadMultipart = { fields: [], files: [], headers: [], problem: null };
const NO_XML: ReadXml = { texts: [], attributes: [], problem: null };

export class RequestParts {
  readonly message: RequestMessage;
  /** Who takes the body apart; rules may choose another one. */
  processor: BodyProcessor;
  /** Set with the body phase: before it, no rule sees anything of the body. */
  hasBody = false;
  #query: Entry[] | null = null;
  #cookies: Entry[] | null = null;
  #post: readonly Entry[] | null = null;
  #multipart: ReadMultipart | null = null;
  #xml: ReadXml | null = null;
  #problem: string | null = null;

  constructor(message: RequestMessage) {
    this.message = message;
    this.processor = processorFor(this.header('content-type').toLowerCase());
  }

  header(name: string): string {
    return this.message.headers.find(([one]) => one.toLowerCase() === name)?.[1] ?? '';
  }

  get path(): string {
    const { target } = this.message;
    const end = target.search(/[?#]/);
    return end < 0 ? target : target.slice(0, end);
  }

  /** Decoded once, as services do. */
  get filename(): string {
    return urlDecode(this.path, false);
  }

  get basename(): string {
    const { filename } = this;
    return filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  }

  get queryString(): string {
    const { target } = this.message;
    const mark = target.indexOf('?');
    if (mark < 0) return '';
    const hash = target.indexOf('#', mark);
    return target.slice(mark + 1, hash < 0 ? target.length : hash);
  }

  get line(): string {
    const { method, target, version } = this.message;
    return `${method} ${target} ${version}`;
  }

  get query(): readonly Entry[] {
    return (this.#query ??= parseUrlEncoded(this.queryString));
  }

  get cookies(): readonly Entry[] {
    if (this.#cookies === null) {
      this.#cookies = [];
      for (const [name, line] of this.message.headers) {
        if (name.toLowerCase() !== 'cookie') continue;
        for (const pair of line.split(';', 1_000)) {
          const text = pair.trim();
          const equals = text.indexOf('=');
          if (text !== '')
            this.#cookies.push(equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]);
        }
      }
    }
    return this.#cookies;
  }

  get body(): string {
    return this.hasBody ? (this.message.body ?? '') : '';
  }

  get post(): readonly Entry[] {
    this.#read();
    return this.#post ?? [];
  }

  get multipart(): ReadMultipart {
    this.#read();
    return this.#multipart ?? NO_MULTIPART;
  }

  get xml(): ReadXml {
    this.#read();
    return this.#xml ?? NO_XML;
  }

  /** Why the body is not what its type says; null = it is. */
  get problem(): string | null {
    this.#read();
    return this.#problem;
  }

  #read(): void {
    if (this.#post !== null || !this.hasBody) return;
    this.#post = [];
    const { body } = this;
    const { bodyCut } = this.message;
    if (body === '') return;
    switch (this.processor) {
      case 'URLENCODED':
        this.#post = parseUrlEncoded(body);
        break;
      case 'JSON': {
        const { entries, problem } = parseJson(body);
        this.#post = entries;
        this.#problem = bodyCut ? null : problem;
        break;
      }
      case 'MULTIPART':
        this.#multipart = parseMultipart(body, this.header('content-type'), bodyCut);
        this.#post = this.#multipart.fields;
        this.#problem = this.#multipart.problem;
        break;
      case 'XML':
        this.#xml = parseXml(body);
        this.#problem = bodyCut ? null : this.#xml.problem;
        break;
      case '':
        break;
    }
  }
}

function processorFor(contentType: string): BodyProcessor {
  if (contentType.startsWith('application/x-www-form-urlencoded')) return 'URLENCODED';
  if (contentType.startsWith('multipart/form-data')) return 'MULTIPART';
  const [type = ''] = contentType.split(';', 1);
  if (/^application\/(?:[a-z0-9.-]{1,60}\+)?json\s*$/.test(type)) return 'JSON';
  if (/^(?:application\/(?:[a-z0-9.-]{1,60}\+)?|text\/)xml\s*$/.test(type)) return 'XML';
  return '';
}
