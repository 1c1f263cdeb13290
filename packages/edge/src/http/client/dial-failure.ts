/**
 * Agents answer a service that they cannot reach with a 502 of their own (agent-protocol.md §6). It becomes our page
 * 8012; a 502 of the service itself passes untouched.
 */
import { fail, type PosternError } from '@postern/errors';
import type { Framing, RawFields } from '@postern/protocol';
import { valueOf } from '../exchange/fields.ts';
import type { ResponseDraft } from '../exchange/message.ts';

const MARK = 'ERR_NGROK_8012';
/** What the official agents write; they send no content-type with it. */
const OPENING = 'failed to dial backend';
/** Longest body that may be such a message. */
export const PROBE_BYTES = 4_096;

/** Whether the mark of our agents is on a 502: decided at once. Looks at fields before they are prepared. */
export function isMarked(fields: RawFields): boolean {
  return valueOf(fields, 'ngrok-error-code') === MARK;
}

/** Whether the body has to be seen before anybody can tell. */
export function mayBeDialFailure(draft: ResponseDraft): boolean {
  return draft.status === 502 && isShort(draft.framing) && valueOf(draft.fields, 'content-type') === undefined;
}

function isShort(framing: Framing): boolean {
  return framing.kind === 'length' && framing.length > 0 && framing.length <= PROBE_BYTES;
}

export function isDialMessage(body: Buffer): boolean {
  return body.subarray(0, OPENING.length).toString('latin1').toLowerCase() === OPENING;
}

/** @param upstream what the agent says it forwards to */
export function dialFailure(upstream: string): PosternError {
  return fail(8012, { upstream: upstream === '' ? 'the service behind it' : upstream });
}
