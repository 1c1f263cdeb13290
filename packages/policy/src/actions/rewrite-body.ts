/**
 * A body whose text is replaced before anybody gets it: read whole, up to a limit, decoded, and searched in slices between
 * which everybody else has a turn. What cannot be searched is not let through: somebody may rely on what is taken out.
 */
import { fail, type PosternError } from '@postern/errors';
import type { Scope } from '../cel/scope.ts';
import type { BodyProblem, HeaderView } from '../runtime.ts';
import { codingsOf, decoded } from './decode-body.ts';
import { inTurns } from './in-turns.ts';
import { Rewriting, type Found, type ReadyReplacement } from './find-replace.ts';

/** Bytes of a body, as it comes and decoded, and of what is made of it. */
export const LARGEST_BODY = 4 * 1024 * 1024;

/** A request or an answer. */
export interface Message {
  readonly headers: HeaderView;
  /** What Content-Encoding says is so by now. */
  readonly encoded: boolean;
  readBody(limit: number): Promise<Buffer | BodyProblem>;
  reserve(bytes: number): boolean;
  replaceBody(body: Buffer): void;
}

/** @returns what was found; the body is replaced when something was */
export async function rewriteBody(
  message: Message,
  replacements: readonly ReadyReplacement[],
  { context }: Scope,
  unread: (problem: BodyProblem, limit: number) => PosternError,
): Promise<readonly Found[] | PosternError> {
  const sent = await message.readBody(LARGEST_BODY);
  if (typeof sent === 'string') return unread(sent, LARGEST_BODY);
  if (sent.length === 0) return [];
  const codings = message.encoded ? codingsOf(message.headers.getAll('content-encoding')) : [];
  if (codings === null) return fail(3904, { reason: 'it is encoded in a way that is not known here' });
  const room = { most: LARGEST_BODY, reserve: (bytes: number) => message.reserve(bytes) };
  const text = await decoded(sent, codings, room);
  if (text === 'undecodable') return fail(3904, { reason: 'it is not encoded as its Content-Encoding says' });
  if (typeof text === 'string') return unread(text, LARGEST_BODY);
  const rewriting = new Rewriting(text, replacements, room);
  const problem = await inTurns(rewriting, context, LARGEST_BODY);
  if (problem !== null) return problem;
  if (rewriting.found.length > 0) {
    message.replaceBody(rewriting.text);
    settleFields(message);
  }
  return rewriting.found;
}

/** What was said of the bytes is not so any more. */
function settleFields({ headers, encoded }: Message): void {
  for (const name of ['content-md5', 'digest', 'content-digest', 'repr-digest', 'accept-ranges']) headers.delete(name);
  if (encoded) headers.delete('content-encoding');
  const etag = headers.get('etag');
  if (etag !== undefined && !etag.startsWith('W/')) headers.set('etag', `W/${etag}`);
}

/** Pictures, sound and fonts hold no text, unless they are XML. */
export function holdsText(headers: HeaderView): boolean {
  const type = headers.get('content-type') ?? '';
  return !/^\s*(?:image|audio|video|font)\//i.test(type) || /^[^;]*\+xml\b/i.test(type);
}
