import { isFieldValue, isToken } from '@postern/protocol';
import { isTruncated, wholeRequest } from '../view/exchange-view.ts';
import type { ReplayEdits } from '../view/shapes.ts';
import type { Exchange } from '../record/exchange.ts';

/** Tells the service that this is a repetition, and of what. */
export const REPLAY_HEADER = 'ngrok-replay-original-request-id';

/** Fields of one connection, and those that the sender sets anew. */
const LEFT_OUT = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'expect',
  'te',
  'trailer',
  'upgrade',
  REPLAY_HEADER,
]);

export class ReplayRefused extends Error {}

/**
 * The bytes of a request to send again.
 * @param id of the exchange
 * @throws ReplayRefused for what cannot be sent
 */
export function replayRequest(exchange: Exchange, id: string, edits: ReplayEdits): Buffer {
  const came = wholeRequest(exchange);
  const editedBody = bodyOf(edits);
  if (exchange.outcome === 'unreadable') throw new ReplayRefused('what came is no HTTP/1.1 request');
  if (came.fields.some(([name, value]) => name.toLowerCase() === 'upgrade' && value !== ''))
    throw new ReplayRefused('a request that changes protocols is not sent again');
  if (editedBody === undefined && isTruncated(exchange.request))
    throw new ReplayRefused('its body was not kept whole; give one to send');
  const method = edits.method ?? came.line[0];
  const target = edits.path ?? came.line[1];
  if (!isToken(method)) throw new ReplayRefused(`"${method}" is no method`);
  if (!/^[!-~]+$/.test(target) || target.includes('#')) throw new ReplayRefused(`"${target}" is no path`);
  const fields = (edits.headers ?? came.fields).filter(([name]) => !LEFT_OUT.has(name.toLowerCase()));
  for (const [name, value] of fields) {
    if (!isToken(name)) throw new ReplayRefused(`"${name}" is no name of a header`);
    if (!isFieldValue(value)) throw new ReplayRefused(`the value of ${name} has bytes that no header may have`);
  }
  if (!fields.some(([name]) => name.toLowerCase() === 'host')) {
    const host = came.fields.find(([name]) => name.toLowerCase() === 'host');
    if (host !== undefined) fields.unshift(host);
  }
  const body = editedBody ?? came.body;
  const hadBody = came.fields.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(body.length > 0 || hadBody ? [`content-length: ${body.length}`] : []),
    `${REPLAY_HEADER}: ${id}`,
    'connection: close',
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function bodyOf({ body, body_base64: base64 }: ReplayEdits): Buffer | undefined {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return body === undefined ? undefined : Buffer.from(body, 'utf8');
}
