/** An HMAC of the body, and of nothing else: a recording of it can be sent again at any time. */
import {
  behind,
  isOneOf,
  keyed,
  LARGEST_PARSED,
  mac,
  textKey,
  type Encoding,
  type Hash,
  type Message,
  type ReadKey,
  type Scheme,
} from './scheme.ts';

export interface BodyOptions {
  readonly hash?: Hash;
  /** What stands before the signature in the header. */
  readonly prefix?: string;
  readonly key?: ReadKey;
  /** The signed form of the body. */
  readonly form?: (body: Buffer) => Buffer;
}

/** The header holds one signature, or several behind commas, each with the prefix. */
export function signedBody(header: string | readonly string[], encoding: Encoding, options: BodyOptions = {}): Scheme {
  const { hash = 'sha256', prefix = '', key = textKey, form } = options;
  const headers = typeof header === 'string' ? [header] : header;
  return {
    headers,
    prepare: keyed(key, (secret, message) => {
      const signatures = headers.flatMap((name) => listed(message.header(name), prefix));
      if (signatures.length === 0) return false;
      if (form !== undefined && message.body.length > LARGEST_PARSED) return false;
      const body = form === undefined ? message.body : form(message.body);
      return isOneOf(mac(hash, secret, body), signatures, encoding);
    }),
  };
}

/** `x-signature-1`, `x-signature-2` and so on: one signature for each key that the account has. */
export function numberedSignatures(prefix: string, most: number): Scheme {
  return {
    headers: [`${prefix}1`],
    prepare: keyed(textKey, (secret, message) =>
      isOneOf(mac('sha256', secret, message.body), numbered(prefix, most, message), 'base64'),
    ),
  };
}

function numbered(prefix: string, most: number, message: Message): string[] {
  const signatures: string[] = [];
  for (let n = 1; n <= most; n++) {
    const signature = message.header(`${prefix}${n}`);
    if (signature === undefined) break;
    signatures.push(signature);
  }
  return signatures;
}

function listed(value: string | undefined, prefix: string): string[] {
  if (value === undefined) return [];
  return value.split(',', 32).flatMap((item) => behind(prefix, item.trim()) ?? []);
}

/** JSON without the blanks between its parts; what is no JSON comes out somehow, and is signed by nobody. */
export function withoutBlanks(body: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(body.length);
  let length = 0;
  let quoted = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (!quoted && (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)) continue;
    kept[length++] = byte;
    if (byte === 0x22) quoted = !quoted;
    // Whatever is escaped ends no text.
    else if (quoted && byte === 0x5c && at + 1 < body.length) kept[length++] = body[++at] ?? 0;
  }
  return kept.subarray(0, length);
}
