import type { TlsIdentity } from '@postern/link';
import type { FileCertificates } from './certificate-files.ts';
import { LEAF_DAYS, type LocalCa } from './local-ca.ts';

/** Leaves are replaced when two thirds of their life are over. */
const REISSUE_MS = (LEAF_DAYS * 86_400_000 * 2) / 3;
/** Names come from visitors' SNI, so what is remembered needs a bound. */
const MOST_LEAVES = 5_000;

interface Leaf {
  readonly identity: Promise<TlsIdentity>;
  readonly issuedAt: number;
}

/**
 * Which certificate answers for a server name: one given by file, else a leaf of the local authority, but only for
 * names that are ours, so that a visitor cannot make us sign whatever he asks for.
 */
export class Certificates {
  readonly #ca: LocalCa;
  readonly #files: FileCertificates;
  readonly #agentNames: readonly string[];
  readonly #covers: (serverName: string) => boolean;
  readonly #now: () => number;
  readonly #leaves = new Map<string, Leaf>();

  constructor(parts: {
    readonly ca: LocalCa;
    readonly files: FileCertificates;
    /** Names and addresses under which agents dial; one leaf holds them all. */
    readonly agentNames: readonly string[];
    /** Whether an endpoint, a reservation or a base domain covers the name. */
    readonly covers: (serverName: string) => boolean;
    readonly now: () => number;
  }) {
    this.#ca = parts.ca;
    this.#files = parts.files;
    this.#agentNames = parts.agentNames;
    this.#covers = parts.covers;
    this.#now = parts.now;
  }

  async find(serverName: string): Promise<TlsIdentity | null> {
    const name = serverName.toLowerCase();
    const given = this.#files.find(name);
    if (given !== null) return given;
    if (this.#agentNames.includes(name)) return this.#leaf(this.#agentNames.join(' '), this.#agentNames);
    return this.#covers(name) ? this.#leaf(name, [name]) : null;
  }

  /** Reads given files again (SIGHUP). @throws ConfigError */
  reload(): void {
    this.#files.reload();
  }

  #leaf(key: string, names: readonly string[]): Promise<TlsIdentity> {
    const known = this.#leaves.get(key);
    if (known !== undefined && this.#now() - known.issuedAt < REISSUE_MS) return known.identity;
    const identity = this.#ca.issue(names);
    this.#leaves.delete(key);
    if (this.#leaves.size >= MOST_LEAVES) {
      const oldest = this.#leaves.keys().next();
      if (!oldest.done) this.#leaves.delete(oldest.value);
    }
    this.#leaves.set(key, { identity, issuedAt: this.#now() });
    identity.catch(() => this.#leaves.delete(key));
    return identity;
  }
}
