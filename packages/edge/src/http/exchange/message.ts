/**
 * Request and response as stages and policies may still change them. What came over HTTP/1 and nobody looks into goes on
 * as the text that it was checked as; a list of fields is made of it for the first who asks, and counts from then on.
 */
import { type FilterMaker, LOGIN_COOKIES } from '@postern/policy';
import {
  type FieldLines,
  type Framing,
  type RawFields,
  requestHeadText,
  requestLine,
  type RequestHead,
  responseHeadText,
  type ResponseHead,
  statusLine,
} from '@postern/protocol';
import type { VisitorFacts } from '../../context.ts';
import { HOP_MARK } from './hop-mark.ts';
import { prepareRequestFields, prepareResponseFields } from './prepared-fields.ts';

const CHUNKED_LINE = 'Transfer-Encoding: chunked\r\n';
const CLOSE_LINE = 'Connection: close\r\n';
/** Behind the status of `HTTP/1.1 200 OK`. */
const SPACE_AT = 12;
const SPACE = 32;

/** Who sends requests on. */
export interface Forwarder {
  readonly connection: VisitorFacts;
  /** What it adds to the fields of each, as lines. @param mark '' = none */
  addedLines(host: string, mark: string): string;
}

export class RequestDraft {
  /** As sent; policies may change it, like target and fields. */
  method: string;
  target: string;
  framing: Framing;
  /** As the visitor has it: the connection's, or what a believed proxy says (believed.ts). */
  scheme: 'http' | 'https';
  /** Of a URL that rules have rewritten: scheme and authority that later rules see, and the target that the visitor sent. */
  rewritten: { readonly scheme: string; readonly authority: string; readonly sent: string } | null = null;
  /** Host that a policy has put in place of the visitor's; '' = none. */
  rewrittenHost = '';
  /** What the body passes on its way to the service; null = nothing. */
  filters: FilterMaker[] | null = null;
  readonly version: string;
  readonly authority: string;
  readonly upgrade: string;
  readonly #head: RequestHead;
  readonly #lines: FieldLines | null;
  #fields: RawFields | null;
  /** The lines go on as they came, with what it adds; null = the fields do. */
  #forwarder: Forwarder | null = null;
  #mark = '';

  constructor(head: RequestHead, version: string, scheme: 'http' | 'https') {
    this.method = head.method;
    this.target = head.target;
    this.framing = head.framing;
    this.scheme = scheme;
    this.version = version;
    this.authority = head.authority;
    this.upgrade = head.upgrade;
    this.#head = head;
    this.#lines = head.lines ?? null;
    this.#fields = head.lines === undefined ? head.fields : null;
  }

  /** Prepared for the next hop before policies see them (prepared-fields.ts). */
  get fields(): RawFields {
    if (this.#fields !== null) return this.#fields;
    const fields = this.#lines?.fields ?? [];
    this.#fields = fields;
    if (this.#forwarder !== null) prepareRequestFields(fields, this.#forwarder.connection, this.authority);
    if (this.#mark !== '') fields.push(HOP_MARK, this.#mark);
    return fields;
  }

  /** Neither the fields nor what frames the body can have changed since they came. */
  get untouched(): boolean {
    return this.#fields === null && this.framing === this.#head.framing;
  }

  /**
   * Prepares the lines for the next hop as they are, where preparing the fields would come to the same.
   * @returns false when the fields have to be prepared
   */
  passesAsItCame(forwarder: Forwarder): boolean {
    const lines = this.#lines;
    if (this.#fields !== null || lines === null || !lines.plain || lines.host !== this.authority) return false;
    if (lines.noted && lines.passing().includes(LOGIN_COOKIES)) return false;
    this.#forwarder = forwarder;
    return true;
  }

  /** The mark that it leaves with (hop-mark.ts). */
  putMark(mark: string): void {
    if (this.#fields === null) this.#mark = mark;
    else this.#fields.push(HOP_MARK, mark);
  }

  /** As an HTTP/1 service gets it. @throws TypeError when a part is not what its place allows */
  headText(): string {
    const { method, target, upgrade } = this;
    const chunked = this.framing.kind === 'chunked';
    if (this.#fields === null && this.#lines !== null && this.#forwarder !== null) {
      const added = this.#forwarder.addedLines(this.authority, this.#mark);
      const head = this.#head;
      const sameLine = head.minor === 1 && head.method === method && head.target === target;
      const whole = sameLine ? this.#lines.whole : null;
      const lines =
        whole === null ? requestLine(method, target) + this.#lines.passing() : whole.substring(0, whole.length - 2);
      return `${lines}${added}${chunked ? CHUNKED_LINE : ''}\r\n`;
    }
    return requestHeadText(method, target, withHopFields(this.fields, chunked, upgrade));
  }
}

/** The same list when there is nothing to add, since it is kept for another try. */
function withHopFields(fields: RawFields, chunked: boolean, upgrade: string): RawFields {
  if (!chunked && upgrade === '') return fields;
  const all = [...fields];
  if (chunked) all.push('Transfer-Encoding', 'chunked');
  if (upgrade !== '') all.push('Connection', 'Upgrade', 'Upgrade', upgrade);
  return all;
}

/** Path and query that the visitor asked for, also after a rule has put others in their place. */
export function sentTarget(request: RequestDraft): string {
  return request.rewritten?.sent ?? request.target;
}

/** @property minor absent where the head is ours, or came over HTTP/2 */
export type AnswerHead = Pick<ResponseHead, 'status' | 'reason' | 'fields' | 'framing' | 'lines'> & {
  readonly minor?: 0 | 1;
};

export class ResponseDraft {
  status: number;
  reason: string;
  framing: Framing;
  /** What the body passes on its way to the visitor, in order; null = nothing. */
  filters: FilterMaker[] | null = null;
  /** What it passes before those: rules over the messages of an event stream; null = there are none. */
  messages: FilterMaker[] | null = null;
  /** An encoder is among them. */
  encodes = false;
  /** All of it, of an answer made here or collected; null = it comes from the upstream. */
  body: Buffer | null = null;
  /** An agent of ours says that it could not reach the service. */
  readonly dialFailed: boolean;
  /** Whose lines go on as they came; null = the fields do. */
  readonly #head: AnswerHead | null;
  #fields: RawFields | null;

  /** @param head whose fields have been prepared for the next hop, or whose lines are plain */
  constructor(head: AnswerHead, dialFailed: boolean) {
    this.status = head.status;
    this.reason = head.reason;
    this.framing = head.framing;
    this.dialFailed = dialFailed;
    const passes = head.lines?.plain === true;
    this.#head = passes ? head : null;
    this.#fields = passes ? null : head.fields;
  }

  get fields(): RawFields {
    if (this.#fields !== null) return this.#fields;
    const fields = this.#head?.fields ?? [];
    this.#fields = fields;
    prepareResponseFields(fields);
    return fields;
  }

  /** As with requests. */
  get untouched(): boolean {
    return this.#fields === null && this.framing === this.#head?.framing;
  }

  /** As an HTTP/1 visitor gets it. @param last no other answer follows it @throws TypeError as `RequestDraft.headText` */
  headText(chunked: boolean, last: boolean): string {
    const lines = this.#head?.lines;
    if (this.#fields === null && this.#head !== null && lines !== undefined) {
      const head = this.#head;
      const sameLine = head.minor === 1 && head.status === this.status && head.reason === this.reason;
      const whole = sameLine && !chunked && !last ? lines.whole : null;
      // The space behind the status may be missing where there is no reason.
      if (whole?.charCodeAt(SPACE_AT) === SPACE) return whole;
      const text = `${lines.passing()}${chunked ? CHUNKED_LINE : ''}${last ? CLOSE_LINE : ''}`;
      return `${statusLine(this.status, this.reason)}${text}\r\n`;
    }
    const { fields } = this;
    if (chunked) fields.push('Transfer-Encoding', 'chunked');
    if (last) fields.push('Connection', 'close');
    return responseHeadText(this.status, this.reason, fields);
  }
}
