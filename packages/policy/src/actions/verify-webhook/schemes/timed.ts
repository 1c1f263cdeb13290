/** An HMAC of the body and of the time when it was signed. */
import { behind, isOneOf, keyed, mac, textKey, type Encoding, type Message, type Scheme } from './scheme.ts';
import { FIVE_MINUTES, isFresh } from './time.ts';

/** What is signed, in order. */
export type Parts = (time: string, body: Buffer, message: Message) => (string | Buffer)[];

export interface TimedOptions {
  readonly encoding?: Encoding;
  /** What stands before the signature in its header. */
  readonly prefix?: string;
  readonly seconds?: number;
  /** `time.body` if not given. */
  readonly parts?: Parts;
}

const DOTTED: Parts = (time, body) => [`${time}.`, body];

/** Signature and time have a header each. With several signature headers (keys that are changed), one has to be right. */
export function timed(signed: string | readonly string[], timeHeader: string, options: TimedOptions = {}): Scheme {
  const { encoding = 'hex', prefix = '', seconds = FIVE_MINUTES, parts = DOTTED } = options;
  const headers = typeof signed === 'string' ? [signed] : signed;
  return {
    headers,
    prepare: keyed(textKey, (key, message) => {
      const time = message.header(timeHeader);
      if (time === undefined || !isFresh(time, message.now, seconds)) return false;
      const signatures = headers.flatMap((name) => behind(prefix, message.header(name) ?? '') ?? []);
      return isOneOf(mac('sha256', key, ...parts(time, message.body, message)), signatures, encoding);
    }),
  };
}

/** Both in one header: `t=1700000000,v1=5257a869…`, where `v1` may come several times. */
export function paired(header: string, names: { time: string; signature: string }, seconds = FIVE_MINUTES): Scheme {
  return {
    headers: [header],
    prepare: keyed(textKey, (key, message) => {
      const pairs = pairsIn(message.header(header) ?? '');
      const [time, second] = pairs.get(names.time) ?? [];
      // With two times nobody could tell which was signed.
      if (time === undefined || second !== undefined || !isFresh(time, message.now, seconds)) return false;
      return isOneOf(mac('sha256', key, `${time}.`, message.body), pairs.get(names.signature) ?? [], 'hex');
    }),
  };
}

/** `a=1, b=2, a=3` → a: 1, 3; b: 2. */
export function pairsIn(value: string): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  for (const item of value.split(',', 32)) {
    const at = item.indexOf('=');
    if (at === -1) continue;
    const name = item.slice(0, at).trim();
    const values = pairs.get(name);
    if (values === undefined) pairs.set(name, [item.slice(at + 1).trim()]);
    else values.push(item.slice(at + 1).trim());
  }
  return pairs;
}
