/** Certificates that providers sign webhooks by, fetched once from where a message says; kept for a day. */
import { X509Certificate, type KeyObject } from 'node:crypto';
import type { PolicyContext } from '../../runtime.ts';

const FRESH_MS = 24 * 3_600_000;
/** Before an address that had none is asked again. */
const AGAIN_MS = 5_000;
const MOST = 64;
const MOST_BYTES = 16_384;

interface Kept {
  readonly key: Promise<KeyObject | null>;
  until: number;
}

export class Certificates {
  /** By address, the one asked for last at the end. */
  readonly #kept = new Map<string, Kept>();

  /** @returns null when it cannot be had, or is none that holds now; the log says why */
  at(url: string, path: string, context: PolicyContext): Promise<KeyObject | null> {
    const now = context.now();
    const known = this.#kept.get(url);
    this.#kept.delete(url);
    const kept = known !== undefined && now < known.until ? known : this.#ask(url, path, context);
    this.#kept.set(url, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
    return kept.key;
  }

  #ask(url: string, path: string, context: PolicyContext): Kept {
    const kept: Kept = { key: fetched(url, path, context).then((key) => remember(key)), until: Infinity };
    const remember = (key: KeyObject | null): KeyObject | null => {
      kept.until = context.now() + (key === null ? AGAIN_MS : FRESH_MS);
      return key;
    };
    return kept;
  }
}

async function fetched(url: string, path: string, context: PolicyContext): Promise<KeyObject | null> {
  const asker = { endpoint: context.endpoint.id, address: context.conn.clientIp };
  const headers = { accept: 'application/x-pem-file, */*' };
  // Others wait for it as well.
  const answer = await context.services.providers.ask({ url, form: null, headers, signal: null }, asker);
  const key = 'problem' in answer ? answer.problem : keyOf(answer.status, answer.body, context.now());
  if (typeof key !== 'string') return key;
  context.warn(`${path}: the certificate at ${url} cannot be used: ${key}`);
  return null;
}

/** @returns why not, as a clause with its subject */
function keyOf(status: number, body: Buffer, now: number): KeyObject | string {
  if (status !== 200) return `it answered ${status}`;
  if (body.length > MOST_BYTES) return `it has more than ${MOST_BYTES} bytes`;
  try {
    const { publicKey, validFromDate, validToDate } = new X509Certificate(body);
    if (now < validFromDate.getTime() || now > validToDate.getTime()) return 'it is not valid now';
    return publicKey.asymmetricKeyType === 'rsa' ? publicKey : 'its key is not RSA';
  } catch {
    return 'it does not parse';
  }
}
