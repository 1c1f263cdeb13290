/** HTTP Archive 1.2: what browsers and other tools open. */
import { bytesOf } from '../record/blocks.ts';
import type { Capture, Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import { decodeBody, textOf } from './body.ts';
import { isTruncated, startOf } from './exchange-view.ts';
import { fieldOf, readWireMessage, type WireMessage } from './wire-message.ts';

/** Part by part, so that a reader sets the pace. */
export function* harParts(
  recorder: Recorder,
  numbers: readonly number[],
  version: string,
  urlOf: (tunnel: string) => string,
): Generator<string> {
  yield `{"log":{"version":"1.2","creator":{"name":"Postern","version":${JSON.stringify(version)}},"entries":[`;
  let first = true;
  for (const number of numbers) {
    const exchange = recorder.numbered(number);
    if (exchange === undefined) continue;
    yield `${first ? '' : ','}${JSON.stringify(entryOf(exchange, urlOf(exchange.tunnel)))}`;
    first = false;
  }
  yield ']}}';
}

function entryOf(exchange: Exchange, publicUrl: string): object {
  const request = readWireMessage(bytesOf(exchange.request.pieces));
  const response = readWireMessage(bytesOf(exchange.response.pieces));
  const [method, target, version] = request.line;
  const url = `${publicUrl.replace(/\/$/, '')}${target.startsWith('/') ? target : `/${target}`}`;
  const send = Math.max(0, exchange.requestEnd);
  const wait = Math.max(0, exchange.firstByte - send);
  const receive = Math.max(0, exchange.end - Math.max(send, exchange.firstByte));
  return {
    startedDateTime: startOf(exchange),
    time: send + wait + receive,
    request: {
      method,
      url,
      httpVersion: version,
      cookies: [],
      headers: pairs(request.fields),
      queryString: queryOf(target),
      headersSize: request.headBytes,
      bodySize: exchange.request.wireBytes - request.headBytes,
      ...(request.body.length === 0 ? {} : { postData: postData(request) }),
    },
    response: {
      status: exchange.status,
      statusText: response.line[2],
      httpVersion: response.line[0] === '' ? 'unknown' : response.line[0],
      cookies: [],
      headers: pairs(response.fields),
      content: content(response),
      redirectURL: fieldOf(response.fields, 'location') ?? '',
      headersSize: response.headBytes,
      bodySize: exchange.response.wireBytes - response.headBytes,
      ...cut(exchange.response),
    },
    cache: {},
    timings: { send, wait, receive },
    ...(exchange.outcome === 'done' ? {} : { comment: `outcome: ${exchange.outcome}` }),
  };
}

function pairs(fields: WireMessage['fields']): readonly object[] {
  return fields.map(([name, value]) => ({ name, value }));
}

function queryOf(target: string): readonly object[] {
  const question = target.indexOf('?');
  if (question < 0) return [];
  return [...new URLSearchParams(target.slice(question + 1))].map(([name, value]) => ({ name, value }));
}

function postData(message: WireMessage): object {
  const { bytes } = decodeBody(message);
  const mimeType = fieldOf(message.fields, 'content-type') ?? '';
  const text = textOf(bytes, mimeType);
  if (text !== undefined) return { mimeType, text };
  // The format has no encoding here; tools of browsers write it so.
  return { mimeType, text: bytes.toString('base64'), comment: 'base64' };
}

function content(message: WireMessage): object {
  const { bytes } = decodeBody(message);
  const mimeType = fieldOf(message.fields, 'content-type') ?? '';
  const text = textOf(bytes, mimeType);
  const shown = text === undefined ? { text: bytes.toString('base64'), encoding: 'base64' } : { text };
  return { size: bytes.length, mimeType, ...(bytes.length === 0 ? {} : shown) };
}

function cut(capture: Capture): object {
  return isTruncated(capture) ? { comment: 'longer than what was kept of it' } : {};
}
