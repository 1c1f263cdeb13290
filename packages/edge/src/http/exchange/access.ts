import type { AccessFacts } from '@postern/link';
import type { ConnView } from '@postern/policy';
import { valueOf } from './fields.ts';
import { type RequestDraft, sentTarget } from './message.ts';

/** Characters that are kept of what visitors send: events wait in batches. */
const MOST = 2_048;

/** What the access log wants to know of a request; the rest comes with its answer. */
export type Access = { -readonly [Fact in keyof AccessFacts]: AccessFacts[Fact] };

/** To be asked before any rule changes the request. */
export function accessOf(conn: ConnView, request: RequestDraft): Access {
  const target = sentTarget(request);
  const query = target.indexOf('?');
  return {
    clientIp: conn.clientIp,
    scheme: request.scheme,
    protocol: request.version,
    query: query === -1 ? '' : target.slice(query, query + MOST),
    userAgent: kept(request, 'user-agent'),
    referer: kept(request, 'referer'),
    requestId: kept(request, 'x-request-id'),
    tlsVersion: conn.tls?.version ?? '',
    sessionId: '',
    headMs: -1,
  };
}

function kept({ fields }: RequestDraft, name: string): string {
  return (valueOf(fields, name) ?? '').slice(0, MOST);
}
