/**
 * How providers ask whether an endpoint is there and knows the secret, before they send anything. Such questions can be
 * asked by anybody: no answer may be usable as the signature of a message.
 */
import { mac, textKey, type Message } from './schemes/scheme.ts';
import { memberOf, parseJson } from './schemes/own.ts';

export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain; charset=utf-8' | null;
  readonly body: string;
}

/** @returns null when the message is no question */
export interface Challenge {
  /** Questions without a body, which no signature comes with. */
  readonly unsigned?: (message: Message, secret: string) => Answer | null;
  /** Questions in a message, when it is known whether its signature is right. */
  readonly signed?: (message: Message, secret: string, verified: boolean) => Answer | null;
}

/** Of a message that may be a question. */
const LARGEST = 16 * 1024;

/** Letters, digits and the marks of base64: nothing that a JSON text could begin with but a number. */
const TOKEN = /^[A-Za-z0-9+/=_-]{1,256}$/;

/** A GET with `crc_token` is answered by its HMAC. Messages are JSON objects (providers.ts), which no token is. */
export const twitterChallenge: Challenge = {
  unsigned({ method, target }, secret) {
    if (method !== 'GET') return null;
    const token = new URLSearchParams(target.slice(target.indexOf('?') + 1)).get('crc_token');
    if (token === null || !TOKEN.test(token)) return null;
    return json({ response_token: `sha256=${hmac(secret, token).toString('base64')}` });
  },
};

/** A GET is answered by what one of its headers says. */
export const worldlineChallenge: Challenge = {
  unsigned({ method, header }) {
    const text = header('x-gcs-webhooks-endpoint-verification');
    if (method !== 'GET' || text === undefined || !/^[\x20-\x7e]{1,1024}$/.test(text)) return null;
    return { status: 200, type: 'text/plain; charset=utf-8', body: text };
  },
};

/** The intent to receive: messages without events, some signed wrongly, to be told apart by 200 and 401. */
export const xeroChallenge: Challenge = {
  signed({ body }, _secret, verified) {
    const events = memberOf(parseJson(body, LARGEST), 'events');
    if (!Array.isArray(events) || events.length > 0) return null;
    return { status: verified ? 200 : 401, type: null, body: '' };
  },
};

/** A signed message with a token, which is answered together with its HMAC. */
export const zoomChallenge: Challenge = {
  signed({ body }, secret, verified) {
    if (!verified) return null;
    const message = parseJson(body, LARGEST);
    if (memberOf(message, 'event') !== 'endpoint.url_validation') return null;
    const plainToken = memberOf(memberOf(message, 'payload'), 'plainToken');
    if (typeof plainToken !== 'string' || !TOKEN.test(plainToken)) return null;
    return json({ plainToken, encryptedToken: hmac(secret, plainToken).toString('hex') });
  },
};

function json(value: object): Answer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) };
}

function hmac(secret: string, text: string): Buffer {
  const key = textKey(secret);
  return typeof key === 'string' ? Buffer.alloc(0) : mac('sha256', key, text);
}
