/**
 * What browsers keep of visitors who have logged in: sealed by keys that all edges of the node have, so that nothing has
 * to be kept here for a session to hold. Three things are: what control says has ended before its time; what has ended at
 * an edge of the node, until control says so; of which sessions a request was told lately. The last two are bounded here.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { LoginEvent, LoginKey, ResourceUpdate } from '@postern/link';
import type { Opened, Sessions } from '@postern/policy';
import { makeRoom } from './make-room.ts';
import { Once } from './once.ts';
import { SpentOnce } from './spent.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Longer ones are not looked at: what a browser keeps is at most four cookies. */
const MOST_SEALED = 16_384;
const MOST_ENDED = 50_000;
const MOST_SEEN = 50_000;
const SEEN_MS = 600_000;
const MOST_SHARED = 10_000;
const SHARED_MS = 60_000;

export interface VisitorSessionsOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lower-case domains under which several accounts have endpoints. */
  readonly sharedDomains: readonly string[];
  /** Where control hears of it. */
  readonly tell: (event: LoginEvent) => void;
  readonly shared: SharedLogins;
  readonly random?: (size: number) => Buffer;
}

/** What holds for all edges of a node. */
export interface SharedLogins {
  /** @returns whether it was not spent before */
  spend(key: string, forMs: number): boolean | Promise<boolean>;
  /** Resolves when the others know. */
  end(id: string, until: number): void | Promise<void>;
  /** @param keptMs how long a result is for those who ask later, too */
  once<T>(key: string, work: () => Promise<T>, keptMs: (result: T) => number): Promise<T>;
}

/** Where there is no other edge. @param now milliseconds of a clock that is never set back */
export function loginsOfOne(now: () => number): SharedLogins {
  const spent = new SpentOnce(now);
  const renewals = new Once(now, MOST_SHARED);
  return {
    spend: (key, forMs) => spent.spend(key, forMs),
    end: () => {},
    once: (key, work, keptMs) => renewals.do(key, work, keptMs),
  };
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
  readonly #shared: SharedLogins;

  constructor({ now, sharedDomains, tell, shared, random = randomBytes }: VisitorSessionsOptions) {
    this.#now = now;
    this.#sharedDomains = sharedDomains;
    this.#tell = tell;
    this.#shared = shared;
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

  end(id: string, until: number): void | Promise<void> {
    this.ended(id, until);
    return this.#shared.end(id, until);
  }

  /** Here, or at another edge. */
  ended(id: string, until: number): void {
    this.#ended.delete(id);
    makeRoom(this.#ended, MOST_ENDED, (end) => end <= this.#now());
    this.#ended.set(id, until);
  }

  isOver(id: string, person: string, begunAt: number): boolean {
    return this.#ended.has(id) || this.#revoked.has(id) || begunAt < (this.#revoked.get(person) ?? 0);
  }

  spend(key: string, until: number): boolean | Promise<boolean> {
    // Whoever writes what is spent says how long its name is.
    return this.#shared.spend(createHash('sha256').update(key).digest('base64url'), until - this.#now());
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
    return this.#shared.once(key, work, (result) => (isKept(result) ? SHARED_MS : 0));
  }

  isShared(domain: string): boolean {
    return this.#sharedDomains.some((shared) => shared === domain || shared.endsWith(`.${domain}`));
  }
}
