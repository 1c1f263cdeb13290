import { createHash } from 'node:crypto';
import { type AcmeAccountRow, StoreConflict, timestamp } from '@postern/store';
import { AcmeClient } from '../client/client.ts';
import { newKey } from '../client/csr.ts';
import { sender } from '../client/exchange.ts';
import { AccountKey } from '../client/jws.ts';
import { AcmeProblem } from '../client/problem.ts';
import type { AcmeParts, AuthorityConfig } from '../types.ts';
import { Failure, failureOf } from './failure.ts';

export interface Ready {
  readonly client: AcmeClient;
  readonly key: AccountKey;
}

/** One certificate authority and this installation's account there, which is made when it is needed first. */
export class Authority {
  readonly config: AuthorityConfig;
  /** Its host, for words. */
  readonly title: string;
  readonly #parts: AcmeParts;
  #ready: Promise<Ready> | null = null;

  constructor(parts: AcmeParts, config: AuthorityConfig) {
    this.#parts = parts;
    this.config = config;
    this.title = new URL(config.directory).host;
  }

  /** A client with an account. Its key is on disk before the authority hears of it: a crash makes no second one. */
  ready(): Promise<Ready> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async #open(): Promise<Ready> {
    const { store, now, config } = this.#parts;
    const { directory, root, external } = this.config;
    const id = this.#id();
    let row = await store.acmeAccounts.get(id);
    if (row === null) {
      const [account] = await store.accounts();
      row = {
        id,
        accountId: account?.id ?? '',
        createdAt: timestamp(now()),
        directory,
        email: config.email,
        url: '',
        key: newKey('ecdsa'),
      };
      row = await this.#first(row);
    }
    const key = new AccountKey(row.key);
    const client = new AcmeClient({ directory, send: sender(root, config.userAgent), key, now });
    if (row.url !== '') {
      client.use(row.url);
      return { client, key };
    }
    const account = { email: config.email, agreed: true, external };
    const url = await client.register(account).catch((error: unknown) => Promise.reject(this.#noAccount(error)));
    await store.commit([store.acmeAccounts.update(id, { url })]);
    return { client, key };
  }

  /** Whatever is wrong with us here, another authority may not mind. */
  #noAccount(error: unknown): unknown {
    if (!(error instanceof AcmeProblem) || failureOf(error, this.title).elsewhere) return error;
    const { message, retryAfterMs } = error;
    return new Failure('CA_ERROR', `${this.title} gives no account: ${message}`, { retryAfterMs, elsewhere: true });
  }

  /** Of nodes that open an account at once, the row of the one that comes first: the authority knows its key then. */
  async #first(row: AcmeAccountRow): Promise<AcmeAccountRow> {
    const { store } = this.#parts;
    try {
      await store.commit([store.acmeAccounts.insert(row)]);
      return row;
    } catch (error) {
      const there = error instanceof StoreConflict ? await store.acmeAccounts.get(row.id) : null;
      if (there === null) throw error;
      return there;
    }
  }

  /** The authority does not know the account any more (a test authority that was started anew). */
  async forget(): Promise<void> {
    this.#ready = null;
    const { store } = this.#parts;
    await store.commit([store.acmeAccounts.delete(this.#id())]);
  }

  /** Of directory and address: another address is another account. */
  #id(): string {
    const { directory } = this.config;
    const name = createHash('sha256').update(`${directory} ${this.#parts.config.email}`).digest('hex').slice(0, 27);
    return `acct_${name}`;
  }
}
