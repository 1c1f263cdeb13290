import type { Cover } from '@postern/control';
import type { TlsIdentity } from '@postern/link';
import { type CertificateAuthority, isPublic } from './authority.ts';
import { endOf, type Expiry, type FileCertificates } from './certificate-files.ts';
import { IssueBudget } from './issue-budget.ts';
import type { KeptLeaf } from './kept-leaf.ts';
import type { StoredCertificates } from './stored-certificates.ts';
import { LEAF_DAYS, type LocalCa } from './local-ca.ts';

/** Leaves are replaced when two thirds of their life are over. */
const REISSUE_MS = (LEAF_DAYS * 86_400_000 * 2) / 3;
const MOST_LEAVES = 5_000;
/** Leaves of names that endpoints and reservations hold: so many at once, so many a second (one takes 2 ms). */
const HELD = [1_000, 100] as const;
/** Those of deeper names under a wildcard or a base domain, which visitors think up. */
const THOUGHT_UP = [50, 5] as const;

export interface LocalRules {
  readonly local: 'any' | 'base' | 'none';
  readonly baseDomains: readonly string[];
}

interface Leaf {
  readonly identity: Promise<TlsIdentity>;
  readonly issuedAt: number;
}

/**
 * Which certificate answers for a server name: one given by file, else one out of the database, else a leaf of the local authority. A name that an
 * endpoint or a reservation holds gets a leaf of its own; the names that visitors think up under a base domain or a
 * wildcard share one, and where they cannot (a wildcard is one label deep) there is a budget.
 */
export class Certificates {
  readonly #ca: LocalCa;
  readonly #files: FileCertificates;
  readonly #agentNames: readonly string[];
  readonly #coverOf: (serverName: string) => Promise<Cover | null>;
  readonly #now: () => number;
  readonly #kept: KeptLeaf | null;
  readonly #stored: StoredCertificates | null;
  readonly #rules: LocalRules;
  readonly #held: IssueBudget;
  readonly #thoughtUp: IssueBudget;
  /** By the names in them, least recently made first. */
  readonly #leaves = new Map<string, Leaf>();

  constructor(parts: {
    readonly ca: LocalCa;
    readonly files: FileCertificates;
    /** Names and addresses under which agents dial; one leaf holds them all. */
    readonly agentNames: readonly string[];
    /** Whose name it is; null = nobody's here. */
    readonly coverOf: (serverName: string) => Promise<Cover | null>;
    readonly now: () => number;
    /** Those out of the database. */
    readonly stored?: StoredCertificates;
    /** For which names the local authority may stand in; all by default. */
    readonly rules?: LocalRules;
    /** Where the agents' leaf is kept over restarts. */
    readonly kept?: KeptLeaf;
  }) {
    this.#ca = parts.ca;
    this.#files = parts.files;
    this.#agentNames = parts.agentNames;
    this.#coverOf = parts.coverOf;
    this.#now = parts.now;
    this.#kept = parts.kept ?? null;
    this.#stored = parts.stored ?? null;
    this.#rules = parts.rules ?? { local: 'any', baseDomains: [] };
    this.#useKept();
    this.#held = new IssueBudget(...HELD, parts.now);
    this.#thoughtUp = new IssueBudget(...THOUGHT_UP, parts.now);
  }

  async find(serverName: string): Promise<TlsIdentity | null> {
    const name = serverName.toLowerCase();
    const given = this.#files.find(name) ?? this.#stored?.find(name) ?? null;
    if (given !== null) return given;
    if (this.#agentNames.includes(name)) return this.#leaf(this.#agentNames, this.#held);
    const cover = await this.#coverOf(name);
    if (cover === null || !this.#localFor(name)) return null;
    if (cover.kind === 'name') return this.#leaf([name], this.#held);
    const { domain } = cover;
    // Clients take a wildcard for one label, and none right under a top-level domain (RFC 6125 §6.4.3).
    const parent = name === domain ? domain : name.slice(name.indexOf('.') + 1);
    if (!parent.includes('.')) return this.#leaf([name], this.#thoughtUp);
    if (parent === domain) return this.#leaf([`*.${domain}`, domain], this.#held);
    return this.#leaf([`*.${parent}`], this.#thoughtUp);
  }

  /** Whether the local authority may stand in for a name. */
  #localFor(name: string): boolean {
    const { local, baseDomains } = this.#rules;
    return (
      local === 'any' || (local === 'base' && baseDomains.some((base) => name === base || name.endsWith(`.${base}`)))
    );
  }

  /** When the authority and the given certificates end; leaves of the authority are replaced in time. */
  get expiries(): readonly Expiry[] {
    return [{ certificate: 'authority', notAfter: endOf(this.#ca.pem) }, ...this.#files.expiries];
  }

  /** Who vouches for what answers for a name. */
  authorityOf(name: string): CertificateAuthority {
    const given = this.#files.find(name) ?? this.#stored?.find(name) ?? null;
    return given === null ? 'own' : isPublic(given.cert) ? 'public' : 'private';
  }

  /** Reads given files again (SIGHUP). @throws ConfigError */
  reload(): void {
    this.#files.reload();
  }

  /** The leaf that agents got before this start, while it is of this authority, for the same names and young enough. */
  #useKept(): void {
    const kept = this.#kept?.read() ?? null;
    if (kept === null || !kept.identity.cert.endsWith(this.#ca.pem)) return;
    const key = this.#agentNames.join(' ');
    const age = this.#now() - kept.issuedAt;
    if (kept.names.join(' ') !== key || age < 0 || age >= REISSUE_MS) return;
    this.#leaves.set(key, { identity: Promise.resolve(kept.identity), issuedAt: kept.issuedAt });
  }

  async #keep(issued: Promise<TlsIdentity>, issuedAt: number): Promise<void> {
    const identity = await issued.catch(() => null);
    if (identity !== null) await this.#kept?.write({ names: this.#agentNames, identity, issuedAt });
  }

  /** null: the budget is spent. */
  #leaf(names: readonly string[], budget: IssueBudget): Promise<TlsIdentity> | null {
    const key = names.join(' ');
    const known = this.#leaves.get(key);
    if (known !== undefined && this.#now() - known.issuedAt < REISSUE_MS) return known.identity;
    if (!budget.take()) return known?.identity ?? null;
    const identity = this.#ca.issue(names);
    this.#leaves.delete(key);
    if (this.#leaves.size >= MOST_LEAVES) {
      const oldest = this.#leaves.keys().next();
      if (!oldest.done) this.#leaves.delete(oldest.value);
    }
    const issuedAt = this.#now();
    this.#leaves.set(key, { identity, issuedAt });
    if (names === this.#agentNames) void this.#keep(identity, issuedAt);
    identity.catch(() => this.#leaves.delete(key));
    return identity;
  }
}
