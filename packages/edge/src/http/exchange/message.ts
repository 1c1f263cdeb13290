/** Request and response as stages and policies may still change them. */
import type { FilterMaker } from '@postern/policy';
import type { Framing, RawFields, RequestHead } from '@postern/protocol';

export interface RequestDraft {
  /** As sent; policies may change it, like target and fields. */
  method: string;
  target: string;
  /** Prepared for the next hop before policies see them (forwarding.ts). */
  fields: RawFields;
  framing: Framing;
  /** As the visitor has it: the connection's, or what a believed proxy says (believed.ts). */
  scheme: 'http' | 'https';
  /** Of a URL that rules have rewritten: scheme and authority that later rules see, and the target that the visitor sent. */
  rewritten: { readonly scheme: string; readonly authority: string; readonly sent: string } | null;
  /** Host that a policy has put in place of the visitor's; '' = none. */
  rewrittenHost: string;
  /** What the body passes on its way to the service; null = nothing. */
  filters: FilterMaker[] | null;
  readonly version: string;
  readonly authority: string;
  readonly upgrade: string;
}

export interface ResponseDraft {
  status: number;
  reason: string;
  readonly fields: RawFields;
  framing: Framing;
  /** What the body passes on its way to the visitor, in order; null = nothing. */
  filters: FilterMaker[] | null;
  /** What it passes before those: rules over the messages of an event stream; null = there are none. */
  messages: FilterMaker[] | null;
  /** An encoder is among them. */
  encodes: boolean;
  /** All of it, of an answer made here or collected; null = it comes from the upstream. */
  body: Buffer | null;
  /** An agent of ours says that it could not reach the service. */
  readonly dialFailed: boolean;
}

export function requestDraft(head: RequestHead, version: string, scheme: 'http' | 'https'): RequestDraft {
  const { method, target, fields, framing, authority, upgrade } = head;
  return {
    method,
    target,
    fields,
    framing,
    scheme,
    rewritten: null,
    rewrittenHost: '',
    filters: null,
    version,
    authority,
    upgrade,
  };
}

/** Path and query that the visitor asked for, also after a rule has put others in their place. */
export function sentTarget(request: RequestDraft): string {
  return request.rewritten?.sent ?? request.target;
}

/** The head of an answer whose body follows. */
export function responseDraft(
  head: { readonly status: number; readonly reason: string; readonly fields: RawFields; readonly framing: Framing },
  dialFailed: boolean,
): ResponseDraft {
  const { status, reason, fields, framing } = head;
  return { status, reason, fields, framing, filters: null, messages: null, encodes: false, body: null, dialFailed };
}
