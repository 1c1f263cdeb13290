import type { AccessFacts, TrafficEvent } from '@postern/link';
import { refererWithoutSecrets, withoutSecrets } from './redact.ts';

/** An event that has what an access log writes. */
export type Accessed = TrafficEvent & { readonly access: AccessFacts };

export type LineFormat = (event: Accessed) => string;

/** Characters of one text of a visitor's. */
const MOST = 2_048;

/** One JSON object per line; docs/operate.md, Access log, has what its members mean. */
export function jsonLine(event: Accessed): string {
  const { access } = event;
  const http =
    event.kind !== 'http'
      ? ''
      : `"scheme":"${json(access.scheme)}","method":"${json(event.method)}","path":"${json(event.path)}",` +
        `"query":"${json(withoutSecrets(access.query))}","protocol":"${json(access.protocol)}","status":${event.status},` +
        `"head_ms":${access.headMs},"user_agent":"${json(access.userAgent)}",` +
        `"referer":"${json(refererWithoutSecrets(access.referer))}","request_id":"${json(access.requestId)}",`;
  return (
    `{"time":"${new Date(event.startedAt).toISOString()}","kind":"${event.kind}","client":"${json(access.clientIp)}",` +
    `"peer":"${json(event.clientAddr)}","host":"${json(event.host)}",${http}"tls":"${json(access.tlsVersion)}",` +
    `"bytes_in":${event.bytesIn},"bytes_out":${event.bytesOut},"ms":${event.durationMs},` +
    `"endpoint":"${json(event.endpointId)}","session":"${json(access.sessionId)}","end":"${json(event.reason)}",` +
    `"error":"${json(event.errorCode)}"}\n`
  );
}

/**
 * Apache's and nginx's "combined". A connection has its kind in the place of the method, its host (or endpoint) in that of
 * the path and no status; a request that ended without an answer has 000.
 */
export function combinedLine(event: Accessed): string {
  const { access } = event;
  const isHttp = event.kind === 'http';
  const request = isHttp
    ? `${event.method} ${cut(event.path)}${withoutSecrets(access.query)} ${access.protocol}`
    : `${event.kind.toUpperCase()} ${event.host === '' ? event.endpointId : event.host} -`;
  const status = isHttp ? String(event.status).padStart(3, '0') : '-';
  return (
    `${access.clientIp} - - [${clfTime(event.startedAt)}] "${quoted(request)}" ${status} ${event.bytesOut} ` +
    `"${quoted(refererWithoutSecrets(access.referer)) || '-'}" "${quoted(access.userAgent) || '-'}"\n`
  );
}

/** Everything but printable ASCII is written as escapes: what visitors send neither ends a line nor draws on a terminal. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /["\\\u0000-\u001f\u007f-\uffff]/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const EACH_UNSAFE = /["\\\u0000-\u001f\u007f-\uffff]/g;

function json(text: string): string {
  const short = cut(text);
  return UNSAFE.test(short) ? short.replace(EACH_UNSAFE, jsonEscape) : short;
}

function jsonEscape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** As nginx writes them. */
function quoted(text: string): string {
  return UNSAFE.test(text) ? text.replace(EACH_UNSAFE, hexEscape) : text;
}

/** Field values have one character per byte; what is no byte comes of text, and is written as its UTF-8. */
function hexEscape(character: string): string {
  const code = character.charCodeAt(0);
  const bytes = code < 256 ? [code] : Buffer.from(character);
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function cut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST)}...`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let clfSecond = -1;
let clfText = '';

/** `29/Nov/2026:12:00:00 +0000` */
function clfTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second === clfSecond) return clfText;
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()] ?? ''}/${date.getUTCFullYear()}`;
  clfSecond = second;
  clfText = `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
  return clfText;
}
