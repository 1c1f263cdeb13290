/**
 * From the text of a response head to a ResponseHead (RFC 9112 §4). Every refusal is a 502: a bad upstream.
 */
import { VALUE, allIn, SP } from './characters.ts';
import { FieldSection } from './fields.ts';
import type { NameTable } from './name-table.ts';
import { connectionOptions, declaredFraming, NO_BODY, UNTIL_CLOSE, upgradeProtocol } from './framing.ts';
import { Refusal } from './refusal.ts';
import { versionRefusal } from './request-head.ts';
import type { FieldLines, Framing, RawFields, ResponseHead } from './types.ts';

class ParsedResponseHead implements ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly lines: FieldLines;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly upgrade: string;

  constructor(status: number, reason: string, minor: 0 | 1, section: FieldSection, framing: Framing) {
    const connection = connectionOptions(section.connection);
    this.status = status;
    this.reason = reason;
    this.minor = minor;
    this.lines = section;
    this.framing = framing;
    this.keepAlive = framing.kind !== 'close' && !connection.close && (minor === 1 || connection.keepAlive);
    this.upgrade = minor === 1 && connection.upgrade ? upgradeProtocol(section.upgrade) : '';
  }

  get fields(): RawFields {
    return this.lines.fields;
  }
}

/**
 * @param text the whole head, ending in CRLF CRLF
 * @param method of the request that it answers
 * @throws Refusal
 */
export function readResponseHead(text: string, maxFields: number, method: string, names: NameTable): ResponseHead {
  const lineEnd = text.indexOf('\r\n');
  const minor = text.startsWith('HTTP/1.1 ') ? 1 : text.startsWith('HTTP/1.0 ') ? 0 : null;
  if (minor === null) throw versionRefusal(text.substring(0, 8), 'status line');
  const status = readStatus(text, lineEnd);
  const reason = text.slice(13, lineEnd);
  if (!allIn(VALUE, reason)) throw new Refusal(502, 'a control byte in the status line');

  const section = new FieldSection(text, lineEnd + 2, maxFields, names);
  return new ParsedResponseHead(status, reason, minor, section, framingOf(section, minor, status, method));
}

/** Three digits at offset 9, then a space and the reason; the space may be missing with an empty reason. */
function readStatus(text: string, lineEnd: number): number {
  const after = text.charCodeAt(12);
  let status = 0;
  for (let at = 9; at < 12; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) throw new Refusal(502, 'a status that is not three digits');
    status = status * 10 + digit;
  }
  if (after !== SP && lineEnd !== 12) throw new Refusal(502, 'a status that is not three digits');
  if (status < 100 || status > 599) throw new Refusal(502, `the status ${status}, outside 100 to 599`);
  return status;
}

/** RFC 9112 §6.3, in its order. */
function framingOf(section: FieldSection, minor: 0 | 1, status: number, method: string): Framing {
  const declared = declaredFraming(section, minor);
  if (status < 200 || status === 204) {
    if (declared !== null && (declared.kind !== 'length' || declared.length !== 0)) {
      throw new Refusal(502, `a body with the status ${status}, which has none`);
    }
    return NO_BODY;
  }
  if (method === 'HEAD' || status === 304) return NO_BODY;
  if (method === 'CONNECT' && status < 300) return NO_BODY;
  return declared ?? UNTIL_CLOSE;
}
