/**
 * What covers the URL as well. Senders sign the URL that they were given, so it has to be the one that visitors use; what
 * runs before this action should not rewrite it.
 */
import { createHash } from 'node:crypto';
import { MAX_PARTS } from '../../../cel/limits.ts';
import { decode, isOneOf, keyed, LARGEST_PARSED, mac, textKey, type Message, type Scheme } from './scheme.ts';
import type { Parts } from './timed.ts';

function urlOf({ scheme, authority, target }: Message): string {
  return `${scheme}://${authority}${target}`;
}

/** base64 of an HMAC-SHA-1 of the URL and of the form's fields, by name, each name and value behind the other. */
export function urlAndForm(header: string, urls: (message: Message) => string[] = (one) => [urlOf(one)]): Scheme {
  return {
    headers: [header],
    prepare: keyed(textKey, (key, message) => {
      const signature = message.header(header);
      const signed = signature === undefined ? null : signedFields(message);
      if (signature === undefined || signed === null) return false;
      return urls(message).some((url) => isOneOf(mac('sha1', key, url + signed), [signature], 'base64'));
    }),
  };
}

/**
 * Twilio drops or keeps the port as it likes. Of a body that is no form it signs the SHA-256, in the query parameter
 * `bodySHA256`.
 */
export function twilio(): Scheme {
  return urlAndForm('x-twilio-signature', (message) => {
    const { scheme, authority, target } = message;
    const host = authority.replace(/:\d{1,5}$/, '');
    const port = scheme === 'https' ? 443 : 80;
    return [urlOf(message), `${scheme}://${host}${target}`, `${scheme}://${host}:${port}${target}`];
  });
}

/** @returns null when the body is not what was signed, or is too much to take apart */
function signedFields({ target, body }: Message): string | null {
  const sum = /[?&]bodySHA256=([0-9a-f]{64})(?:&|$)/i.exec(target)?.[1];
  if (sum !== undefined) {
    const expected = decode(sum, 'hex', 64);
    return expected !== null && createHash('sha256').update(body).digest().equals(expected) ? '' : null;
  }
  const fields = formOf(body);
  if (fields === null) return null;
  return [...fields].map(([name, values]) => [...new Set(values)].map((value) => name + value).join('')).join('');
}

/** Fields by name, in the order of their names; null when there are too many. */
function formOf(body: Buffer): Map<string, string[]> | null {
  if (body.length > LARGEST_PARSED) return null;
  return sorted(body.toString('utf8'));
}

function sorted(form: string): Map<string, string[]> | null {
  if (form.split('&', MAX_PARTS + 1).length > MAX_PARTS) return null;
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(form)) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return new Map([...fields].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** base64 of an HMAC-SHA-256 of the URL and the body behind it. */
export function urlAndBody(header: string): Scheme {
  return {
    headers: [header],
    prepare: keyed(textKey, (key, message) =>
      isOneOf(mac('sha256', key, urlOf(message), message.body), [message.header(header) ?? ''], 'base64'),
    ),
  };
}

/** Version 3: HMAC-SHA-256 of the URL with its query sorted, of the form's fields sorted, and of a nonce. */
export function plivo(): Scheme {
  const headers = ['x-plivo-signature-v3', 'x-plivo-signature-ma-v3'];
  return {
    headers,
    prepare: keyed(textKey, (key, message) => {
      const nonce = message.header('x-plivo-signature-v3-nonce');
      const signed = nonce === undefined ? null : plivoBase(message);
      if (nonce === undefined || signed === null) return false;
      const signatures = headers.flatMap((name) => message.header(name)?.split(',', 32) ?? []);
      return isOneOf(mac('sha256', key, `${signed}.${nonce}`), signatures, 'base64');
    }),
  };
}

function plivoBase(message: Message): string | null {
  const url = urlOf(message);
  const mark = url.indexOf('?');
  const query = sorted(mark === -1 ? '' : url.slice(mark + 1));
  const form = message.method === 'POST' ? formOf(message.body) : new Map<string, string[]>();
  if (query === null || form === null) return null;
  const inQuery = [...query].flatMap(([name, values]) => values.toSorted().map((value) => `${name}=${value}`));
  const inForm = [...form].flatMap(([name, values]) => values.toSorted().map((value) => name + value));
  const base = mark === -1 ? url : url.slice(0, mark);
  if (inForm.length === 0) return inQuery.length === 0 ? base : `${base}?${inQuery.join('&')}`;
  return `${base}?${inQuery.join('&')}${inQuery.length === 0 ? '' : '.'}${inForm.join('')}`;
}

/** Characters that HubSpot shows plainly in the URL that it signs. */
const PLAIN = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

/** Version 3 of HubSpot: method, URL, body and time, with what the query has encoded as it is or as it was. */
export const HUBSPOT_PARTS: readonly Parts[] = [
  (time, body, message) => [message.method, urlOf(message), body, time],
  (time, body, message) => [
    message.method,
    urlOf(message).replace(PLAIN, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16))),
    body,
    time,
  ],
];
