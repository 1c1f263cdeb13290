/** The fields of a policy's own request, as the called service gets them, and of the answer, as the policy does. */
import { randomUUID } from 'node:crypto';
import type { OutgoingRequest } from '@postern/policy';
import type { RawFields } from '@postern/protocol';
import type { VisitorFacts } from '../../context.ts';
import { isOfOneHop, textOfValue, wireValue } from '../exchange/fields.ts';
import { prepareRequestFields } from '../exchange/prepared-fields.ts';

/** Services may tell by them that a rule asks, for whom, and which question this is: no configuration speaks for them. */
const OURS: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'ngrok-req-id',
  'ngrok-req-type',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

const BODY_METHODS: ReadonlySet<string> = new Set(['PATCH', 'POST', 'PUT']);

export function callFields({ method, headers, body }: OutgoingRequest, facts: VisitorFacts, host: string): RawFields {
  const fields: RawFields = ['Host', host];
  if (body.length > 0 || BODY_METHODS.has(method)) fields.push('Content-Length', String(body.length));
  prepareRequestFields(fields, facts, host);
  fields.push('User-Agent', 'Postern', 'ngrok-req-type', 'http-request', 'ngrok-req-id', randomUUID());
  for (const [name, value] of headers) {
    // Names that differ by `_` only are the same to services that read headers as CGI variables do.
    if (OURS.has(name.toLowerCase().replaceAll('_', '-')) || isOfOneHop(name)) continue;
    fields.push(name, wireValue(value));
  }
  return fields;
}

/** @param decoded the body is no longer what these say of its encoding and length */
export function textFields(fields: RawFields, decoded: boolean): (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] ?? '').toLowerCase();
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    lines.push([name, textOfValue(fields[at + 1] ?? '')]);
  }
  return lines;
}
