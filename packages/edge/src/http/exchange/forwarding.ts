/** What frames and routes a message, after policies have had it. */
import type { RawFields } from '@postern/protocol';
import { isNamed, isOfOneHop, removeField, replaceField, valueOf } from './fields.ts';
import type { RequestDraft, ResponseDraft } from './message.ts';

/** After policies have changed the list: what frames and routes the message has to be right again. */
export function settleRequestFields(request: RequestDraft): void {
  if (request.untouched) return;
  const { fields, framing, authority } = request;
  dropOneHop(fields);
  settleLength(fields, framing.kind === 'length' ? framing.length : null);
  const host = valueOf(fields, 'host');
  if (host === undefined) fields.unshift('Host', authority);
  request.rewrittenHost = host === undefined || host.toLowerCase() === authority ? '' : host.toLowerCase();
}

export function settleResponseFields(draft: ResponseDraft): void {
  if (draft.untouched) return;
  const { fields, framing } = draft;
  dropOneHop(fields);
  // Without a body (HEAD, 304) a Content-Length tells of the body that is not sent.
  if (framing.kind !== 'none') settleLength(fields, framing.kind === 'length' ? framing.length : null);
}

function settleLength(fields: RawFields, length: number | null): void {
  if (length === null) removeField(fields, 'content-length');
  else if (valueOf(fields, 'content-length') !== String(length)) replaceField(fields, 'Content-Length', String(length));
}

function dropOneHop(fields: RawFields): void {
  for (let at = fields.length - 2; at >= 0; at -= 2) {
    if (isOfOneHop(fields[at] ?? '')) fields.splice(at, 2);
  }
}

/** A service that was asked under another host redirects to that host: visitors are led back to the one they know. */
export function mapLocation(request: RequestDraft, fields: RawFields): void {
  for (let at = 0; at < fields.length; at += 2) {
    if (!isNamed(fields[at] ?? '', 'location')) continue;
    const match = /^(https?:)?\/\/([^/?#]*)((?:[/?#].*)?)$/is.exec(fields[at + 1] ?? '');
    if (match === null || match[2]?.toLowerCase() !== request.rewrittenHost) continue;
    const scheme = match[1] === undefined ? '' : `${request.scheme}:`;
    fields[at + 1] = `${scheme}//${request.authority}${match[3] ?? ''}`;
  }
}
