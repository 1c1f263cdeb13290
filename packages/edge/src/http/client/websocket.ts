/**
 * Services that want the bytes of visitors' WebSocket messages and speak no WebSocket themselves: the opening handshake
 * (RFC 6455 §4.2) is answered here, as soon as the agent has a stream for it.
 */
import { fail, type PosternError } from '@postern/errors';
import { isWebSocketKey, MuxErrorCode, type MuxStream, type RawFields, webSocketAccept } from '@postern/protocol';
import type { Exchange } from '../exchange/exchange.ts';
import { valueOf } from '../exchange/fields.ts';
import type { RequestDraft } from '../exchange/message.ts';
import { WebSocketStream } from './websocket-stream.ts';

/** Of the one version that there is; said to whoever asks for another, or for none (RFC 6455 §4.4). */
export const WEBSOCKET_VERSION = ['Sec-WebSocket-Version', '13'] as const;

/** Why the request opens no WebSocket; null = it does. */
export function webSocketProblem(request: RequestDraft): PosternError | null {
  const { fields, method, upgrade, framing } = request;
  const unmet = (reason: string): PosternError => fail(3206, { reason });
  if (upgrade !== 'websocket') return unmet('it does not ask for an upgrade to websocket');
  if (method !== 'GET') return unmet(`its method is ${method}, and not GET`);
  if (framing.kind !== 'none') return unmet('it has a body');
  if (valueOf(fields, 'sec-websocket-version')?.trim() !== '13') return unmet('its Sec-WebSocket-Version is not 13');
  if (!isWebSocketKey(valueOf(fields, 'sec-websocket-key')?.trim() ?? '')) {
    return unmet('its Sec-WebSocket-Key is not 16 bytes in base64');
  }
  // A browser sends cookies with it from whatever page asks: such a page has to be of this host.
  const origin = valueOf(fields, 'origin');
  return origin === undefined || isOwn(origin, request) ? null : fail(3213, { origin: JSON.stringify(origin) });
}

function isOwn(origin: string, { authority }: RequestDraft): boolean {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  // A visitor's host has no port where that is its scheme's own, and neither has the URL.
  return url !== null && (url.host === authority || url.host === authority.replace(/:(?:80|443)$/, ''));
}

/** Answers 101 behind the code that is under way, which may still be reading the request. */
export function openWebSocket(exchange: Exchange, agent: MuxStream): void {
  const stream = new WebSocketStream(agent);
  const { fields } = exchange.request;
  const answer: RawFields = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
  answer.push('Sec-WebSocket-Accept', webSocketAccept(valueOf(fields, 'sec-websocket-key')?.trim() ?? ''));
  // What the bytes mean is between visitor and service, neither of whom can be asked: the one that the visitor likes best.
  const protocol = valueOf(fields, 'sec-websocket-protocol')?.split(',', 1)[0]?.trim() ?? '';
  if (protocol !== '') answer.push('Sec-WebSocket-Protocol', protocol);
  queueMicrotask(
    exchange.requester.guard.wrap(() => {
      if (exchange.finished) stream.reset(MuxErrorCode.streamCancelled);
      else exchange.switchProtocols('Switching Protocols', answer, stream, null);
    }),
  );
}
