/** Answers that are event streams get the rules of `on_event_stream_message`, before anything that encodes them. */
import { fail } from '@postern/errors';
import { codingsOf, isEventStream } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { removeField, valueOf } from '../exchange/fields.ts';
import type { Frame } from '../exchange/frame.ts';
import { decoderOf } from '../filters/decode.ts';
import { eventRules } from '../filters/event-rules.ts';
import { StreamRules } from '../policy/message-rules.ts';
import { responseView } from '../policy/views.ts';

/** @throws PosternError 3904 when its messages cannot be read */
export function addMessageRules(edge: EdgeContext, exchange: Exchange, { live, context }: Frame): void {
  const { draft } = exchange;
  const phase = live.policy?.onEventStreamMessage ?? null;
  if (draft === null || phase === null || !isEventStream(valueOf(draft.fields, 'content-type'))) return;
  context.res ??= responseView(exchange, edge, draft);
  if (draft.messages === null) {
    const codings = draft.encodes ? [] : codingsOf([valueOf(draft.fields, 'content-encoding') ?? '']);
    if (codings === null) throw fail(3904, { reason: 'it is encoded in a way that is not known here' });
    draft.messages = codings.toReversed().map(decoderOf);
    if (codings.length > 0) removeField(draft.fields, 'content-encoding');
  }
  draft.messages.push(eventRules(() => new StreamRules(edge, exchange, phase, context)));
}
