/** Schemes that one provider has for itself. */
import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto';
import { escape as escapeQuery } from 'node:querystring';
import { MAX_PARTS } from '../../../cel/limits.ts';
import {
  behind,
  decode,
  isOneOf,
  keyed,
  LARGEST_PARSED,
  mac,
  textKey,
  type Message,
  type ReadKey,
  type Scheme,
} from './scheme.ts';
import { FIVE_MINUTES, isFresh } from './time.ts';

/** Mailgun: an HMAC of a time and a token, all three in the body, as JSON or as a form. The rest of it is not covered. */
export function mailgun(): Scheme {
  return {
    headers: [],
    prepare: keyed(textKey, (key, { body, now }) => {
      const { timestamp, token, signature } = mailgunFields(body);
      if (timestamp === '' || token === '' || !isFresh(timestamp, now, FIVE_MINUTES)) return false;
      return isOneOf(mac('sha256', key, timestamp, token), [signature], 'hex');
    }),
  };
}

interface MailgunFields {
  readonly timestamp: string;
  readonly token: string;
  readonly signature: string;
}

function mailgunFields(body: Buffer): MailgunFields {
  const field = reader(body);
  return { timestamp: field('timestamp'), token: field('token'), signature: field('signature') };
}

function reader(body: Buffer): (name: string) => string {
  if (body.length > LARGEST_PARSED) return () => '';
  const text = body.toString('utf8');
  if (!text.trimStart().startsWith('{')) {
    if (text.split('&', MAX_PARTS + 1).length > MAX_PARTS) return () => '';
    const form = new URLSearchParams(text);
    return (name) => form.get(name) ?? '';
  }
  const signature = memberOf(parseJson(body, LARGEST_PARSED), 'signature');
  return (name) => {
    const value = memberOf(signature, name);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
}

/** @returns undefined for what is no JSON, or too much of it */
export function parseJson(body: Buffer, most: number): unknown {
  if (body.length > most) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

/** A member of an object's own; undefined of everything else. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** GraphCMS: `sign=…, env=…, t=…`, an HMAC of a JSON text that has the body, the environment and the time in it. */
export function graphcms(): Scheme {
  return {
    headers: ['gcms-signature'],
    prepare: keyed(textKey, (key, { header, body, now }) => {
      const [sign = '', env = '', t = ''] = (header('gcms-signature') ?? '').split(', ', 3);
      const signature = behind('sign=', sign);
      const environment = behind('env=', env);
      const time = behind('t=', t);
      if (signature === null || environment === null || time === null || body.length > LARGEST_PARSED) return false;
      if (!/^\d{12,15}$/.test(time) || !isFresh(time, now, FIVE_MINUTES)) return false;
      const signed = { Body: body.toString('utf8'), EnvironmentName: environment, TimeStamp: Number(time) };
      return isOneOf(mac('sha256', key, JSON.stringify(signed)), [signature], 'base64');
    }),
  };
}

const TIME = 'x-contentful-timestamp';
const NAMES = 'x-contentful-signed-headers';

/** Contentful: method, path, the headers that it lists, and the body, on a line each. */
export function contentful(): Scheme {
  return {
    headers: ['x-contentful-signature'],
    prepare: keyed(textKey, (key, message) => {
      const time = message.header(TIME);
      const headers = contentfulHeaders(message);
      if (time === undefined || headers === null || !isFresh(time, message.now, FIVE_MINUTES)) return false;
      const signature = message.header('x-contentful-signature') ?? '';
      return pathsOf(message.target).some((path) => {
        const expected = mac('sha256', key, `${message.method}\n${path}\n${headers}\n`, message.body);
        return isOneOf(expected, [signature], 'hex');
      });
    }),
  };
}

/** @returns null when one is missing, or when the time is not signed */
function contentfulHeaders({ header }: Message): string | null {
  const names = new Set((header(NAMES) ?? '').toLowerCase().split(',', 64));
  if (!names.has(TIME) || !names.has(NAMES)) return null;
  const lines: string[] = [];
  for (const name of [...names].toSorted()) {
    const value = header(name);
    if (value === undefined) return null;
    lines.push(`${name}:${value.trim()}`);
  }
  return lines.join(';');
}

/** As it was sent, and in the form that Contentful's own library gives it. */
function pathsOf(target: string): string[] {
  const [path = '', query = ''] = target.split('?', 2);
  try {
    return [target, encodeURI(query === '' ? path : `${path}?${escapeQuery(query)}`)];
  } catch {
    return [target];
  }
}

/** SendGrid: ECDSA of the time and the body; the secret is the public key (DER in base64, or PEM). */
export function sendgrid(): Scheme {
  const header = 'x-twilio-email-event-webhook-signature';
  return {
    headers: [header],
    prepare: keyed(publicKey, (key, message) => {
      const time = message.header('x-twilio-email-event-webhook-timestamp');
      const signature = decode(message.header(header) ?? '', 'base64', 256);
      if (time === undefined || signature === null || !isFresh(time, message.now, FIVE_MINUTES)) return false;
      return verifySignature('sha256', Buffer.concat([Buffer.from(time), message.body]), key, signature);
    }),
  };
}

const NO_KEY = 'this secret is the verification key: an EC public key, base64 or PEM';

const publicKey: ReadKey = (secret) => {
  const key = readPublicKey(secret.trim());
  return key === null || key.asymmetricKeyType !== 'ec' ? NO_KEY : key;
};

function readPublicKey(text: string): KeyObject | null {
  try {
    if (text.startsWith('-----BEGIN PUBLIC KEY-----')) return createPublicKey(text);
    const der = decode(text, 'base64', 4096);
    return der === null ? null : createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
