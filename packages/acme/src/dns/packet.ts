/**
 * As much of DNS (RFC 1035 §4) as it takes to answer for a few TXT records: one question in, and what is said to it. Names in
 * questions are never compressed; a message that is anything else than one question is not understood, and costs nothing.
 */

export interface Question {
  readonly id: number;
  /** Lower case, without the dot behind it. */
  readonly name: string;
  /** Its bytes as they came, to be repeated: resolvers compare the case. */
  readonly wire: Buffer;
  readonly type: number;
  readonly recursion: boolean;
  /** Bytes that an answer by UDP may have (RFC 6891); 0 = no such option came. */
  readonly edns: number;
}

export const TYPE = { NS: 2, SOA: 6, TXT: 16, OPT: 41, TSIG: 250 } as const;
export const CODE = { ok: 0, noSuchName: 3, refused: 5 } as const;

const HEADER = 12;
const IN = 1;
const MOST_NAME = 255;
const OPT_BYTES = 11;

/** null = nothing that is answered. */
export function readQuestion(message: Buffer): Question | null {
  if (message.length < HEADER + 5) return null;
  const flags = message.readUInt16BE(2);
  // A query of the standard kind, with one question, no answer, and at most an OPT record behind.
  const isQuery = (flags & 0xf800) === 0 && message.readUInt16BE(4) === 1;
  if (!isQuery || message.readUInt16BE(6) !== 0 || message.readUInt16BE(8) !== 0) return null;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += 1;
    if (length === 0) break;
    if (at + length > message.length || at + length - HEADER > MOST_NAME) return null;
    labels.push(message.toString('latin1', at, at + length).toLowerCase());
    at += length;
  }
  if (at + 4 > message.length || message.readUInt16BE(at + 2) !== IN) return null;
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.'),
    wire: message.subarray(HEADER, at),
    type: message.readUInt16BE(at),
    recursion: (flags & 0x0100) !== 0,
    edns: ednsOf(message, at + 4),
  };
}

export interface Answer {
  readonly code: number;
  /** Texts of TXT records. */
  readonly texts: readonly string[];
  /** Says whose zone it is: as the answer where that was asked, else that there is nothing. */
  readonly soa: { readonly zone: string; readonly host: string } | null;
  /** Name server of the zone, where that is asked for. */
  readonly ns: string | null;
  /** More was to be said than goes into the message: ask by TCP. */
  readonly truncated: boolean;
}

/** Seconds: records come and go with an order, and "there is none" is not to be believed for longer. */
const TTL = 1;

export function writeAnswer(question: Question, { code, texts, soa, ns, truncated }: Answer): Buffer {
  const pointer = Buffer.from([0xc0, HEADER]);
  const zone = soa === null ? [] : [record(nameBytes(soa.zone), TYPE.SOA, soaData(soa.host))];
  const isAnswer = question.type === TYPE.SOA && soa?.zone === question.name;
  const answers = [
    ...texts.map((text) => record(pointer, TYPE.TXT, characterString(text))),
    ...(ns === null ? [] : [record(pointer, TYPE.NS, nameBytes(ns))]),
    ...(isAnswer ? zone : []),
  ];
  const authority = isAnswer ? [] : zone;
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(0x8400 | (truncated ? 0x0200 : 0) | (question.recursion ? 0x0100 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(question.edns === 0 ? 0 : 1, 10);
  const asked = Buffer.alloc(4);
  asked.writeUInt16BE(question.type, 0);
  asked.writeUInt16BE(IN, 2);
  const opt = question.edns === 0 ? [] : [optRecord()];
  return Buffer.concat([header, question.wire, asked, ...answers, ...authority, ...opt]);
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(IN, 2);
  head.writeUInt32BE(TTL, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, head, data]);
}

/** Payload size 1,232: what no path breaks into pieces. */
function optRecord(): Buffer {
  const opt = Buffer.alloc(OPT_BYTES);
  opt.writeUInt16BE(TYPE.OPT, 1);
  opt.writeUInt16BE(1_232, 3);
  return opt;
}

export function characterString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1').subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function nameBytes(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

/** Name server, mailbox (none), serial, refresh, retry, expire, and how long "there is none" is believed. */
function soaData(host: string): Buffer {
  const numbers = Buffer.alloc(20);
  for (const [index, value] of [1, 3_600, 600, 86_400, TTL].entries()) numbers.writeUInt32BE(value, index * 4);
  return Buffer.concat([nameBytes(host), Buffer.alloc(1), numbers]);
}

function ednsOf(message: Buffer, at: number): number {
  if (message.readUInt16BE(10) === 0 || at + OPT_BYTES > message.length) return 0;
  const isOpt = message[at] === 0 && message.readUInt16BE(at + 1) === TYPE.OPT;
  return isOpt ? Math.max(message.readUInt16BE(at + 3), 512) : 0;
}
