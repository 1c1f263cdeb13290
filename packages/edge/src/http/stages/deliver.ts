/** The response goes to the visitor: its head now, its body as it comes. */
import type { RawFields } from '@postern/protocol';
import { removeField, valueOf } from '../exchange/fields.ts';
import { EncodedBody } from '../filters/encode.ts';
import type { Exchange } from '../exchange/exchange.ts';

const CHUNKED = { kind: 'chunked' } as const;

export function deliver(exchange: Exchange): void {
  const { draft, downstream } = exchange;
  if (draft === null || exchange.finished) return;
  const { status, reason, fields } = draft;
  const bodiless = exchange.method === 'HEAD' || status === 204 || status === 304;
  let { framing } = draft;
  if (draft.codings !== null && !bodiless && framing.kind !== 'none') {
    const streaming = framing.kind !== 'length';
    removeField(fields, 'content-length');
    framing = CHUNKED;
    exchange.encoded = new EncodedBody(draft.codings, streaming, encodedOwner(exchange));
  }
  if (framing.kind === 'length' && !bodiless && exchange.upstream?.mayTrail === true && wantsChunks(exchange, fields)) {
    removeField(fields, 'content-length');
    framing = CHUNKED;
  }
  exchange.status = status;
  exchange.answering();
  downstream.head(status, reason, fields, framing);
  const { localBody } = exchange;
  if (localBody === null) {
    exchange.upstream?.release();
    return;
  }
  if (!bodiless && localBody.length > 0) exchange.responseBody(localBody, 0, localBody.length);
  if (exchange.encoded !== null) exchange.encoded.end();
  else exchange.complete();
}

/** Trailers are announced that follow a length: HTTP/2 has room for both, HTTP/1 only behind chunks. */
function wantsChunks(exchange: Exchange, fields: RawFields): boolean {
  if (exchange.version !== 'HTTP/1.1') return false;
  return (
    valueOf(fields, 'trailer') !== undefined || valueOf(fields, 'content-type')?.startsWith('application/grpc') === true
  );
}

function encodedOwner(exchange: Exchange): ConstructorParameters<typeof EncodedBody>[2] {
  const { guard } = exchange.requester;
  return {
    encoded(chunk) {
      exchange.bytesOut += chunk.length;
      try {
        return exchange.downstream.body(chunk, 0, chunk.length);
      } catch (error) {
        guard.fault(error);
        return true;
      }
    },
    wantsMore() {
      guard.run(() => exchange.upstream?.resume());
    },
    ended() {
      guard.run(() => exchange.complete());
    },
    failed() {
      guard.run(() => {
        exchange.dropUpstream();
        exchange.downstream.abort();
        exchange.finish('internal');
      });
    },
  };
}
