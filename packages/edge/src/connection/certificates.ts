/** Certificates per server name, asked of control once and kept for a while. */
import type { CertificateChanges, ControlLink, TlsIdentity } from '@postern/link';

/** A changed certificate is seen at the latest after this; `clear` makes it at once. */
const KEEP_MS = 600_000;
/** "None" is believed shortly: the name may be reserved in the next second. */
const KEEP_NONE_MS = 2_000;
/** An answer that does not come is asked for again after this. */
const PENDING_MS = 10_000;
const MOST_NAMES = 5_000;

interface Entry {
  readonly identity: Promise<TlsIdentity | null>;
  /** The same, once it is there. */
  known: TlsIdentity | null;
  until: number;
}

export class CertificateCache {
  readonly #link: Pick<ControlLink, 'certificateFor'>;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(link: Pick<ControlLink, 'certificateFor'>, now: () => number) {
    this.#link = link;
    this.#now = now;
  }

  /** The identity for a name, if it is kept; null = {@link get} has to be asked. */
  known(serverName: string): TlsIdentity | null {
    const entry = this.#entries.get(serverName);
    if (entry === undefined || entry.known === null || entry.until <= this.#now()) return null;
    this.#entries.delete(serverName);
    this.#entries.set(serverName, entry);
    return entry.known;
  }

  /** The identity for a name, or null; concurrent calls share one question. Rejects as control does, unremembered. */
  get(serverName: string): Promise<TlsIdentity | null> {
    const known = this.#entries.get(serverName);
    this.#entries.delete(serverName);
    if (known !== undefined && known.until > this.#now()) {
      this.#entries.set(serverName, known);
      return known.identity;
    }
    const entry: Entry = {
      identity: this.#link.certificateFor(serverName),
      known: null,
      until: this.#now() + PENDING_MS,
    };
    this.#entries.set(serverName, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST_NAMES) break;
      this.#entries.delete(oldest);
    }
    void this.#date(serverName, entry);
    return entry.identity;
  }

  /** Gives the entry its end, once the answer is there. */
  async #date(serverName: string, entry: Entry): Promise<void> {
    try {
      entry.known = await entry.identity;
      entry.until = this.#now() + (entry.known === null ? KEEP_NONE_MS : KEEP_MS);
    } catch {
      // Whoever asked sees the error; the next one asks again.
      if (this.#entries.get(serverName) === entry) this.#entries.delete(serverName);
    }
  }

  /**
   * Forgets what was changed since the edge was told last.
   * @returns the changed certificates that were kept; null = everything is forgotten
   */
  forget(before: CertificateChanges, after: CertificateChanges): readonly TlsIdentity[] | null {
    const missed = after.count - before.count;
    const changes = missed === 0 ? [] : after.last.slice(-missed);
    if (missed < 0 || missed > changes.length || changes.includes(null)) {
      this.#entries.clear();
      return null;
    }
    const found: TlsIdentity[] = [];
    for (const name of changes.flatMap((names) => names ?? [])) {
      for (const key of name.startsWith('*.') ? this.#below(name.slice(1)) : [name]) {
        const known = this.#entries.get(key)?.known ?? null;
        if (known !== null) found.push(known);
        this.#entries.delete(key);
      }
    }
    return found;
  }

  /** Names that a wildcard may answer for: one label deeper. @param suffix with its dot */
  #below(suffix: string): readonly string[] {
    return [...this.#entries.keys()].filter(
      (name) => name.endsWith(suffix) && name.indexOf('.') === name.length - suffix.length,
    );
  }
}
