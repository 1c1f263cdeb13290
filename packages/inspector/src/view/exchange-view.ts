import { bytesOf, glanceAt } from '../record/blocks.ts';
import type { Capture, Exchange, Message } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import { decodeBody, textOf } from './body.ts';
import { inflateFrames } from './inflate-frames.ts';
import type { BodyView, ExchangeDetail, ExchangeSummary, MessageView, SideView } from './shapes.ts';
import { fieldOf, readWireMessage, type WireMessage } from './wire-message.ts';

/** Enough for the words of a list: its first line and most heads. Nearly always all in the first piece. */
const GLANCE_BYTES = 8_192;

export function summaryOf(recorder: Recorder, exchange: Exchange): ExchangeSummary {
  const request = readWireMessage(glanceAt(exchange.request.pieces, GLANCE_BYTES));
  const response =
    exchange.status === 0 ? undefined : readWireMessage(glanceAt(exchange.response.pieces, GLANCE_BYTES));
  const type = response === undefined ? '' : (fieldOf(response.fields, 'content-type') ?? '');
  return {
    id: recorder.ids.idOf(exchange.number),
    tunnel: exchange.tunnel,
    method: request.line[0].slice(0, 40),
    path: request.line[1].slice(0, 2_048),
    status: exchange.status,
    start: startOf(exchange),
    duration: durationOf(recorder, exchange),
    outcome: exchange.outcome,
    client: exchange.clientAddr,
    bytes: exchange.response.wireBytes,
    type: type.slice(0, 200),
    messages: exchange.messageCount,
    streams: streamsOf(exchange, type),
    replayOf: exchange.replayOf === 0 ? '' : recorder.ids.idOf(exchange.replayOf),
  };
}

function streamsOf({ status, messageCount }: Exchange, type: string): ExchangeSummary['streams'] {
  if (status === 101) return 'websocket';
  if (type.toLowerCase().startsWith('text/event-stream')) return 'events';
  return messageCount > 0 ? 'messages' : '';
}

export function detailOf(recorder: Recorder, exchange: Exchange): ExchangeDetail {
  return {
    ...summaryOf(recorder, exchange),
    request: sideOf(exchange.request),
    response: exchange.response.keptBytes === 0 ? null : sideOf(exchange.response),
    timing: { requestEnd: exchange.requestEnd, firstByte: exchange.firstByte, end: exchange.end },
  };
}

/** Those that `wanted` wants, with what is deflated unfolded. */
export function messageViews(exchange: Exchange, wanted: readonly Message[]): readonly MessageView[] {
  const inflated = inflateFrames(exchange);
  return wanted.map((message) => messageView(message, inflated.get(message)));
}

/** @param inflated its message unfolded, or why it is not; shown with the first frame */
function messageView(message: Message, inflated: Buffer | string | undefined): MessageView {
  const bytes = Buffer.isBuffer(inflated) ? inflated : bytesOf(message.pieces);
  const isPlain = !message.deflated || Buffer.isBuffer(inflated);
  const text = isPlain ? textOf(bytes, '', message.keptBytes < message.bytes) : undefined;
  return {
    number: message.number,
    at: message.at,
    kind: message.kind,
    fromVisitor: message.fromVisitor,
    opcode: message.opcode,
    final: message.final,
    deflated: message.deflated,
    bytes: message.bytes,
    truncated: message.keptBytes < message.bytes,
    ...(Buffer.isBuffer(inflated) ? { inflated: inflated.length } : {}),
    ...(typeof inflated === 'string' ? { problem: inflated } : {}),
    ...(text === undefined ? { base64: bytes.toString('base64') } : { text }),
  };
}

export function startOf(exchange: Exchange): string {
  return new Date(exchange.startedAt).toISOString();
}

/** Milliseconds. */
export function durationOf(recorder: Recorder, exchange: Exchange): number {
  return exchange.end < 0 ? recorder.age(exchange) : exchange.end;
}

export function wholeRequest(exchange: Exchange): WireMessage {
  return readWireMessage(bytesOf(exchange.request.pieces));
}

export function isTruncated(capture: Capture): boolean {
  return capture.keptBytes < capture.wireBytes;
}

function sideOf(capture: Capture): SideView {
  const bytes = bytesOf(capture.pieces);
  const message = readWireMessage(bytes);
  return {
    line: message.line,
    fields: message.fields,
    body: bodyView(capture, message),
    raw: bytes.toString('latin1'),
  };
}

function bodyView(capture: Capture, message: WireMessage): BodyView {
  const type = fieldOf(message.fields, 'content-type') ?? '';
  const { bytes, problem } = decodeBody(message);
  const text = textOf(bytes, type, isTruncated(capture));
  return {
    wireBytes: capture.wireBytes,
    truncated: isTruncated(capture),
    type,
    size: bytes.length,
    ...(text === undefined ? { base64: bytes.toString('base64') } : { text }),
    ...(problem === undefined ? {} : { problem }),
  };
}
