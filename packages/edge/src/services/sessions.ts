/**
 * What browsers keep of visitors who have logged in: sealed by keys that all edges of the node have, so that nothing has
 * to be kept here for a session to hold. Four things are: what control says has ended before its time; what has ended here,
 * until control says so; of which sessions a request was told lately; and what requests of one session at the same time
 * share. The last three are bounded here.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { LoginEvent, LoginKey, ResourceUpdate } from '@postern/link';
import type { Opened, Sessions } from '@postern/policy';
import { makeRoom } from './make-room.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Longer ones are not looked at: what a browser keeps is at most four cookies. */
const MOST_SEALED = 16_384;
const MOST_ENDED = 50_000;
const MOST_SEEN = 50_000;
const SEEN_MS = 600_000;
const MOST_SHARED = 10_000;
const SHARED_MS = 60_000;

interface Shared {
  readonly result: Promise<unknown>;
  /** When it may be forgotten; Infinity while it is under way. */
  until: number;
}

export interface VisitorSessionsOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lower-case domains under which several accounts have endpoints. */
  readonly sharedDomains: readonly string[];
  /** Where control hears of it. */
  readonly tell: (event: LoginEvent) => void;
  /** What may be used once. */
  readonly spent: Spends;
  readonly random?: (size: number) => Buffer;
}

/** Of this edge, or of all edges of its node. */
export interface Spends {
  /** @returns whether it was not spent before */
  spend(key: string, forMs: number): boolean | Promise<boolean>;
}

export class VisitorSessions implements Sessions {
  readonly #now: () => number;
  readonly #random: (size: number) => Buffer;
  readonly #sharedDomains: readonly string[];
  /** The first one seals. */
  #keys: readonly LoginKey[] = [];
  #byId: ReadonlyMap<string, LoginKey> = new Map();
  /** By id, until when that matters; the one that ended last at the end. */
  readonly #ended = new Map<string, number>();
  /** What control says: by id of a session, or of a user with the time before which all of his began. */
  readonly #revoked = new Map<string, number>();
  /** By id, until when it needs no more telling; the one that needs it next at the front. */
  readonly #seen = new Map<string, number>();
  readonly #tell: (event: LoginEvent) => void;
  readonly #spends: Spends;
  readonly #shared = new Map<string, Shared>();

  constructor({ now, sharedDomains, tell, spent, random = randomBytes }: VisitorSessionsOptions) {
    this.#now = now;
    this.#sharedDomains = sharedDomains;
    this.#tell = tell;
    this.#spends = spent;
    this.#random = random;
  }

  /** Before anything is sealed, and again when another key is the first. */
  sealWith(keys: readonly LoginKey[]): void {
    this.#keys = keys;
    this.#byId = new Map(keys.map((key) => [key.id.toString(36), key]));
  }

  /** `<key id>.<base64url of iv, ciphertext and tag>`: AES-256-GCM, the place as additional data. */
  seal(text: string, place: string): string {
    const [first] = this.#keys;
    if (first === undefined) throw new Error('nobody has said yet what log-ins are sealed with');
    const iv = this.#random(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', first.key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(place));
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${first.id.toString(36)}.${sealed.toString('base64url')}`;
  }

  open(sealed: string, place: string): Opened | null {
    if (sealed.length > MOST_SEALED) return null;
    const dot = sealed.indexOf('.');
    const key = this.#byId.get(sealed.slice(0, Math.max(0, dot)));
    if (key === undefined) return null;
    const bytes = Buffer.from(sealed.slice(dot + 1), 'base64url');
    if (bytes.length < IV_BYTES + TAG_BYTES) return null;
    const iv = bytes.subarray(0, IV_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key.key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      return { text, old: key !== this.#keys[0] };
    } catch {
      return null;
    }
  }

  random(): string {
    return this.#random(32).toString('base64url');
  }

  end(id: string, until: number): void {
    this.#ended.delete(id);
    makeRoom(this.#ended, MOST_ENDED, (end) => end <= this.#now());
    this.#ended.set(id, until);
  }

  isOver(id: string, person: string, begunAt: number): boolean {
    return this.#ended.has(id) || this.#revoked.has(id) || begunAt < (this.#revoked.get(person) ?? 0);
  }

  spend(key: string, until: number): boolean | Promise<boolean> {
    // Whoever writes what is spent says how long its name is.
    return this.#spends.spend(createHash('sha256').update(key).digest('base64url'), until - this.#now());
  }

  isUnseen(id: string): boolean {
    const now = this.#now();
    if ((this.#seen.get(id) ?? 0) > now) return false;
    for (const [other, until] of this.#seen) {
      if (until > now) break;
      this.#seen.delete(other);
    }
    // Where more are here than that, some requests are not told, and not each of them.
    if (this.#seen.size >= MOST_SEEN) return false;
    this.#seen.set(id, now + SEEN_MS);
    return true;
  }

  tell(event: LoginEvent): void {
    this.#tell(event);
  }

  /** Takes in what has ended, whoever ended it. */
  apply({ snapshot, upserts, removes }: ResourceUpdate): void {
    if (snapshot) this.#revoked.clear();
    for (const id of removes) this.#revoked.delete(id);
    for (const one of upserts) if (one.kind === 'ended-login') this.#revoked.set(one.id, one.begunBefore);
  }

  once<T>(key: string, work: () => Promise<T>, isKept: (result: T) => boolean): Promise<T> {
    const known = this.#shared.get(key);
    // It is of the same key, and so of the same work.
    // oxlint-disable-next-line no-unsafe-type-assertion
    if (known !== undefined && known.until > this.#now()) return known.result as Promise<T>;
    this.#shared.delete(key);
    makeRoom(this.#shared, MOST_SHARED, ({ until }) => until <= this.#now());
    const result = work();
    const shared: Shared = { result, until: Infinity };
    this.#shared.set(key, shared);
    void this.#settle(key, shared, result, isKept);
    return result;
  }

  async #settle<T>(key: string, shared: Shared, result: Promise<T>, isKept: (result: T) => boolean): Promise<void> {
    try {
      if (isKept(await result)) shared.until = this.#now() + SHARED_MS;
      else this.#shared.delete(key);
    } catch {
      // Whoever asked is told.
      this.#shared.delete(key);
    }
  }

  isShared(domain: string): boolean {
    return this.#sharedDomains.some((shared) => shared === domain || shared.endsWith(`.${domain}`));
  }
}
