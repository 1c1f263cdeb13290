/**
 * What every scheme is made of. A scheme is pure: it sees a message and a secret, calls nobody and throws nothing,
 * whatever a visitor sends.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** A webhook as its visitor sent it. */
export interface Message {
  readonly method: string;
  readonly scheme: string;
  /** host[:port] */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  /** Lower-case name → its value; undefined when it is missing, there twice or longer than any signature. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Bytes of a body that is more than digested, which takes ten times as long, for somebody who may be nobody. */
export const LARGEST_PARSED = 1024 * 1024;

export type Verify = (message: Message) => boolean;

/** A message that a certificate has signed, which has to be fetched. */
export interface Certified {
  /** One that the provider alone can have; nothing else may be asked for. */
  readonly url: string;
  verify(key: KeyObject): boolean;
}

export interface Scheme {
  /** Without one of these headers nothing can be right, and nobody need wait for a body. Empty = it is in the body. */
  readonly headers: readonly string[];
  /** @returns what is wrong with the secret, as a text without full stop, when it cannot be this provider's */
  prepare(secret: string): Verify | string;
  /** In place of what `prepare` made. @returns null when it cannot be right, whatever the certificate is */
  readonly certified?: (message: Message, secret: string) => Certified | null;
}

export type Hash = 'sha1' | 'sha256' | 'sha512';
export type Encoding = 'hex' | 'base64';
export type ReadKey = (secret: string) => KeyObject | string;

export const textKey: ReadKey = (secret) => createSecretKey(secret, 'utf8');

export const base64Key: ReadKey = (secret) => {
  const bytes = decode(secret, 'base64', 4096);
  return bytes === null ? 'this secret is base64 text' : createSecretKey(bytes);
};

/** Prepares a key by `read` and hands it to `verify`. */
export function keyed(read: ReadKey, verify: (key: KeyObject, message: Message) => boolean): Scheme['prepare'] {
  return (secret) => {
    const key = read(secret);
    return typeof key === 'string' ? key : (message) => verify(key, message);
  };
}

export function mac(hash: Hash, key: KeyObject, ...parts: (string | Buffer)[]): Buffer {
  const hmac = createHmac(hash, key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Whether one of the signatures (a bounded number) is the expected one; how long it takes tells nothing of how much of one was right. */
export function isOneOf(expected: Buffer, signatures: readonly string[], encoding: Encoding): boolean {
  let found = false;
  for (const signature of signatures) {
    const bytes = decode(signature, encoding, 256);
    if (bytes !== null && bytes.length === expected.length && timingSafeEqual(bytes, expected)) found = true;
  }
  return found;
}

/** @returns null for what is empty, too long or not all of that encoding, which Node would read as far as it is */
export function decode(text: string, encoding: Encoding, max: number): Buffer | null {
  if (text === '' || text.length > max) return null;
  const valid = encoding === 'hex' ? /^(?:[0-9a-f]{2})+$/i : /^[A-Za-z0-9+/]+={0,2}$/;
  if (!valid.test(text)) return null;
  // A sixth of a byte at the end would be dropped in silence, and another signature be as good.
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  if (encoding === 'base64' && (text.length - padding) % 4 === 1) return null;
  return Buffer.from(text, encoding);
}

/** `v1=abc` with the prefix `v1=` → `abc`; null when it does not begin with it. */
export function behind(prefix: string, text: string): string | null {
  return text.startsWith(prefix) ? text.slice(prefix.length) : null;
}
