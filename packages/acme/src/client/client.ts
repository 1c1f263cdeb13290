/**
 * A client of RFC 8555, of one directory and one account: what it asks is signed, nonces are kept and tried again, and
 * what comes back is read into what an order needs. It remembers nothing that a restart would miss: where an order
 * stands is at the authority, under a URL that the caller keeps.
 */
import { retryAfter, type Exchange, type Send } from './exchange.ts';
import { type AccountKey, externalBinding } from './jws.ts';
import { AcmeProblem, listIn, memberOf, problemOf, textIn } from './problem.ts';

/** RFC 8555 §6.5: any request may meet it, and some authorities' tests see to it that many do. */
const NONCE_ATTEMPTS = 6;
const MOST_NONCES = 10;

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

export interface Order {
  readonly status: OrderStatus;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  /** '' until it is valid. */
  readonly certificate: string;
  /** Why it is invalid. */
  readonly problem: AcmeProblem | null;
  /** When to look again; null = the authority has no wish. */
  readonly retryAfterMs: number | null;
}

export interface OfferedChallenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
}

export interface Authorization {
  /** Without `*.`: see `wildcard`. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly status: string;
  readonly challenges: readonly OfferedChallenge[];
  /** Of the challenge that failed. */
  readonly problem: AcmeProblem | null;
  readonly retryAfterMs: number | null;
}

export interface NewOrder {
  readonly names: readonly string[];
  /** '' = the authority's default. */
  readonly profile: string;
  /** Id of the certificate that this takes the place of (RFC 9773 §5); '' = none. */
  readonly replaces: string;
}

export interface RenewalInfo {
  /** Unix milliseconds. */
  readonly start: number;
  readonly end: number;
  /** When to ask again. */
  readonly retryAfterMs: number | null;
}

export interface ClientParts {
  readonly directory: string;
  readonly send: Send;
  readonly key: AccountKey;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export class AcmeClient {
  readonly #parts: ClientParts;
  readonly #nonces: string[] = [];
  #directory: Promise<unknown> | null = null;
  /** '' = not known yet. */
  #account = '';

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /**
   * The account of this key: made if it is not there.
   * @returns its URL
   */
  async register(account: {
    readonly email: string;
    readonly agreed: boolean;
    readonly external: { readonly keyId: string; readonly hmac: string } | null;
  }): Promise<string> {
    const url = await this.#resource('newAccount');
    const { email, agreed, external } = account;
    const payload = {
      termsOfServiceAgreed: agreed,
      ...(email === '' ? {} : { contact: [`mailto:${email}`] }),
      ...(external === null
        ? {}
        : {
            externalAccountBinding: externalBinding(external.keyId, external.hmac, url, this.#parts.key.jwk),
          }),
    };
    const { headers } = await this.#post(url, JSON.stringify(payload), true);
    this.use(locationOf(headers));
    return this.#account;
  }

  /** The account that {@link register} answered at an earlier time. */
  use(account: string): void {
    this.#account = account;
  }

  /** @returns where the order is */
  async order({ names, profile, replaces }: NewOrder): Promise<string> {
    const payload = {
      identifiers: names.map((value) => ({ type: 'dns', value })),
      ...(profile === '' ? {} : { profile }),
      ...(replaces === '' ? {} : { replaces }),
    };
    const { headers } = await this.#post(await this.#resource('newOrder'), JSON.stringify(payload));
    return locationOf(headers);
  }

  async look(order: string): Promise<Order> {
    return this.#orderOf(await this.#post(order, ''));
  }

  async authorization(url: string): Promise<Authorization> {
    const exchange = await this.#post(url, '');
    const body = jsonOf(exchange);
    const challenges = listIn(body, 'challenges');
    const failed = challenges.map((challenge) => memberOf(challenge, 'error')).find((error) => error !== undefined);
    return {
      name: textIn(memberOf(body, 'identifier'), 'value').toLowerCase(),
      wildcard: memberOf(body, 'wildcard') === true,
      status: textIn(body, 'status'),
      challenges: challenges.map((challenge) => ({
        type: textIn(challenge, 'type'),
        url: textIn(challenge, 'url'),
        token: textIn(challenge, 'token'),
        status: textIn(challenge, 'status'),
      })),
      problem: failed === undefined ? null : problemOf(failed, 200, null),
      retryAfterMs: retryAfter(exchange.headers, this.#parts.now()),
    };
  }

  /** Tells the authority that it may come and look. */
  async ready(challenge: string): Promise<void> {
    await this.#post(challenge, '{}');
  }

  /** @param csr DER */
  async finalize(order: Order, csr: Uint8Array): Promise<Order> {
    const payload = JSON.stringify({ csr: Buffer.from(csr).toString('base64url') });
    return this.#orderOf(await this.#post(order.finalize, payload));
  }

  /** The chains that the authority offers (RFC 8555 §7.4.2), its own choice first; PEM. */
  async download(certificate: string): Promise<{ readonly chain: string; readonly others: readonly string[] }> {
    const { headers, body } = await this.#post(certificate, '');
    return { chain: body.toString('latin1'), others: alternatesIn(headers.link) };
  }

  /** @param id of a certificate (RFC 9773 §4.1). @returns null where the authority does not say */
  async renewalInfo(id: string): Promise<RenewalInfo | null> {
    const base = textIn(await this.#index(), 'renewalInfo');
    if (base === '') return null;
    const exchange = await this.#parts.send({ method: 'GET', url: `${base.replace(/\/$/, '')}/${id}` });
    if (exchange.status !== 200) throw this.#problem(exchange);
    const window = memberOf(jsonOf(exchange), 'suggestedWindow');
    const start = Date.parse(textIn(window, 'start'));
    const end = Date.parse(textIn(window, 'end'));
    if (!(start <= end)) return null;
    return { start, end, retryAfterMs: retryAfter(exchange.headers, this.#parts.now()) };
  }

  #orderOf(exchange: Exchange): Order {
    const body = jsonOf(exchange);
    const error = memberOf(body, 'error');
    return {
      status: statusOf(textIn(body, 'status')),
      authorizations: listIn(body, 'authorizations').filter((url) => typeof url === 'string'),
      finalize: textIn(body, 'finalize'),
      certificate: textIn(body, 'certificate'),
      problem: error === undefined ? null : problemOf(error, 200, null),
      retryAfterMs: retryAfter(exchange.headers, this.#parts.now()),
    };
  }

  async #post(url: string, payload: string, byKey = false): Promise<Exchange> {
    const { key, send } = this.#parts;
    if (!byKey && this.#account === '') throw new TypeError('there is no account yet');
    for (let left = NONCE_ATTEMPTS; ; left -= 1) {
      // Each try needs the answer to the one before it.
      /* oxlint-disable no-await-in-loop */
      const nonce = this.#nonces.pop() ?? (await this.#nonce());
      const who = byKey ? { jwk: key.jwk } : { kid: this.#account };
      const exchange = await send({ method: 'POST', url, body: key.sign({ ...who, nonce, url }, payload) });
      /* oxlint-enable no-await-in-loop */
      this.#keepNonce(exchange);
      if (exchange.status < 300) return exchange;
      const problem = this.#problem(exchange);
      if (problem.type !== 'badNonce' || left === 1) throw problem;
    }
  }

  async #nonce(): Promise<string> {
    const exchange = await this.#parts.send({ method: 'HEAD', url: await this.#resource('newNonce') });
    this.#keepNonce(exchange);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new AcmeProblem('unreachable', 'the authority gives no nonce');
    return nonce;
  }

  #keepNonce({ headers }: Exchange): void {
    const nonce = headers['replay-nonce'];
    if (typeof nonce === 'string' && this.#nonces.length < MOST_NONCES) this.#nonces.push(nonce);
  }

  async #resource(name: string): Promise<string> {
    const url = textIn(await this.#index(), name);
    if (url === '') throw new AcmeProblem('unreachable', `the directory names no ${name}`);
    return url;
  }

  #index(): Promise<unknown> {
    this.#directory ??= this.#fetchIndex().catch((error: unknown) => {
      this.#directory = null;
      throw error;
    });
    return this.#directory;
  }

  async #fetchIndex(): Promise<unknown> {
    const exchange = await this.#parts.send({ method: 'GET', url: this.#parts.directory });
    if (exchange.status !== 200) throw this.#problem(exchange);
    return jsonOf(exchange);
  }

  #problem(exchange: Exchange): AcmeProblem {
    let body: unknown = null;
    try {
      body = jsonOf(exchange);
    } catch {
      // A proxy's page; the status says enough.
    }
    return problemOf(body, exchange.status, retryAfter(exchange.headers, this.#parts.now()));
  }
}

function jsonOf({ body }: Exchange): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AcmeProblem('unreachable', 'the authority answers no JSON');
  }
}

function locationOf(headers: Exchange['headers']): string {
  const { location = '' } = headers;
  if (location === '') throw new AcmeProblem('unreachable', 'the authority does not say where it is');
  return location;
}

function statusOf(text: string): OrderStatus {
  switch (text) {
    case 'pending':
    case 'ready':
    case 'processing':
    case 'valid':
      return text;
    default:
      return 'invalid';
  }
}

/** Of `Link` fields, those with rel="alternate". */
function alternatesIn(link: string | readonly string[] | undefined): readonly string[] {
  const text = typeof link === 'string' ? link : (link ?? []).join(',');
  return text
    .split(',')
    .filter((part) => part.includes('rel="alternate"'))
    .flatMap((part) => {
      const open = part.indexOf('<');
      const close = part.indexOf('>', open);
      return open === -1 || close === -1 ? [] : [part.slice(open + 1, close)];
    })
    .slice(0, 8);
}
