/**
 * Answers that are the same for every request, as a policy has made them once: their head is checked once, and joined
 * once a second, for its Date.
 */
import { STATUS_CODES } from 'node:http';
import type { Outcome } from '@postern/policy';
import { type FieldLines, linesOf, type RawFields, responseHeadText } from '@postern/protocol';
import { hasNoBody } from '../exchange/fields.ts';
import type { AnswerHead } from '../exchange/message.ts';
import { prepareResponseFields } from '../exchange/prepared-fields.ts';
import { fieldsOf, httpDate } from './own-fields.ts';

type Respond = Extract<Outcome, { kind: 'respond' }>;

/** The head of one, as {@link AnswerHead} with lines that pass as they are. */
class ConstantHead implements AnswerHead, FieldLines {
  readonly status: number;
  readonly reason: string;
  readonly minor = 1;
  readonly framing: AnswerHead['framing'];
  readonly host = null;
  readonly keepAlive = '';
  readonly plain = true;
  readonly noted = false;
  readonly #fields: RawFields;
  #date = '';
  #whole = '';

  constructor(status: number, fields: RawFields, length: number) {
    this.status = status;
    this.reason = STATUS_CODES[status] ?? '';
    this.framing = { kind: 'length', length };
    this.#fields = fields;
  }

  get lines(): FieldLines {
    return this;
  }

  /** A list of its own for who changes it. */
  get fields(): RawFields {
    return [...this.#fields, 'Date', this.#date];
  }

  get whole(): string {
    return this.#whole;
  }

  passing(): string {
    return linesOf(this.fields);
  }

  dated(date: string): this {
    if (date === this.#date) return this;
    this.#date = date;
    this.#whole = responseHeadText(this.status, this.reason, this.fields);
    return this;
  }
}

/** null = what frames it has to be settled each time, as with answers that are made anew. */
const heads = new WeakMap<Respond, ConstantHead | null>();

/** @returns null = this answer is no constant one */
export function constantHead(outcome: Respond, now: number): AnswerHead | null {
  if (outcome.constant !== true) return null;
  let head = heads.get(outcome);
  if (head === undefined) heads.set(outcome, (head = headOf(outcome)));
  return head === null ? null : head.dated(httpDate(now));
}

function headOf({ status, headers, body }: Respond): ConstantHead | null {
  const names = headers.map(([name]) => name.toLowerCase());
  const { fields } = fieldsOf(status, headers, body);
  const prepared = [...fields];
  prepareResponseFields(prepared);
  const settled = prepared.length !== fields.length || names.includes('content-length') || names.includes('date');
  return settled || hasNoBody(status) ? null : new ConstantHead(status, fields, body.length);
}
