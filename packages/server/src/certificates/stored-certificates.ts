import type { TlsIdentity } from '@postern/link';
import type { ManagedCertificateRow, ReservedDomainRow, Store } from '@postern/store';
import { type Expiry, endOf } from './certificate-files.ts';

interface Placed {
  /** Whose place among those for the same names it has: another one of it replaces it. */
  readonly member: string;
  readonly names: readonly string[];
  readonly isRsa: boolean;
  /** The server's own certificate, by itself: its chain is shared with others of the same issuer. */
  readonly leaf: string;
  readonly chain: string;
  readonly key: string;
  readonly notAfter: number;
}

const END = '-----END CERTIFICATE-----';

/**
 * Certificates out of the database, in memory by the names that they are served for: what was uploaded, for the reserved
 * domain that names it and no other name inside it; what was issued, for what it was ordered for.
 */
export class StoredCertificates {
  /** By what they were placed under: a reserved domain, or names of the server's own; with another kind of key beside. */
  readonly #placed = new Map<string, readonly Placed[]>();
  /** By name, under which one is placed there. */
  readonly #byName = new Map<string, string>();
  /** Chains are those of few authorities. */
  readonly #chains = new Map<string, string>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async load(): Promise<void> {
    const rows = new Map((await this.#store.all('tlsCertificates')).map((row) => [row.id, row]));
    for (const managed of await this.#store.all('managedCertificates')) {
      const row = rows.get(managed.certificateId);
      if (row !== undefined) this.placeManaged(managed, { cert: row.certificatePem, key: row.privateKeyPem });
    }
    for (const { id, domain, certificateId } of await this.#store.all('reservedDomains')) {
      const row = rows.get(certificateId);
      if (row !== undefined) this.#placeGiven(id, domain, { cert: row.certificatePem, key: row.privateKeyPem });
    }
  }

  /** A reserved domain may name another certificate, or none. @returns names for which something else is served now */
  async domainChanged(id: string, row: ReservedDomainRow | null): Promise<readonly string[]> {
    const { domain = '', certificateId = '' } = row ?? {};
    const found = certificateId === '' ? null : await this.#store.tlsCertificates.get(certificateId);
    return this.#placeGiven(
      id,
      domain,
      found === null ? null : { cert: found.certificatePem, key: found.privateKeyPem },
    );
  }

  /**
   * What was ordered; those for the same names with another kind of key stay beside it.
   * @param identity null = there is none any more
   * @returns names for which something else is served now
   */
  placeManaged(
    { id, domainId, names, keyType }: Pick<ManagedCertificateRow, 'id' | 'domainId' | 'names' | 'keyType'>,
    identity: TlsIdentity | null,
  ): readonly string[] {
    const place = domainId || `own ${names[0] ?? ''}`;
    return this.#place(place, id, identity === null ? null : this.#entry(id, names, keyType === 'rsa', identity));
  }

  /** What was uploaded for a domain, beside what was issued for it. */
  #placeGiven(domainId: string, domain: string, identity: TlsIdentity | null): readonly string[] {
    const entry = identity === null ? null : this.#entry('', [domain], false, identity);
    return this.#place(`given ${domainId}`, '', entry);
  }

  #place(place: string, member: string, entry: Placed | null): readonly string[] {
    const before = this.#placed.get(place) ?? [];
    const others = before.filter((one) => one.member !== member);
    if (entry === null && others.length === before.length) return [];
    for (const { names } of before) {
      for (const name of names) if (this.#byName.get(name) === place) this.#byName.delete(name);
    }
    const after = entry === null ? others : [...others, entry];
    if (after.length === 0) this.#placed.delete(place);
    else this.#placed.set(place, after);
    for (const { names } of after) for (const name of names) this.#byName.set(name, place);
    return [...new Set([...before, ...after].flatMap(({ names }) => names))];
  }

  #entry(member: string, names: readonly string[], isRsa: boolean, identity: TlsIdentity): Placed {
    const end = identity.cert.indexOf(END) + END.length;
    const leaf = identity.cert.slice(0, end);
    const chain = this.#shared(identity.cert.slice(end));
    return { member, names, isRsa, leaf, chain, key: identity.key, notAfter: endOf(leaf) };
  }

  /** Exact, or a wildcard one label up (RFC 6125 §6.4.3). */
  find(serverName: string): TlsIdentity | null {
    const dot = serverName.indexOf('.');
    const name = this.#byName.has(serverName) || dot === -1 ? serverName : `*${serverName.slice(dot)}`;
    const place = this.#byName.get(name);
    const placed = place === undefined ? undefined : this.#placed.get(place);
    if (place === undefined || placed === undefined) return null;
    let first: Placed | null = null;
    let rsa: Placed | null = null;
    for (const one of placed) {
      if (!one.names.includes(name)) continue;
      if (one.isRsa) rsa = one;
      else first = one;
    }
    const main = first ?? rsa;
    if (main === null) return null;
    const { leaf, chain, key } = main;
    if (main === rsa || rsa === null) return { cert: leaf + chain, key, line: place };
    return { cert: leaf + chain, key, line: place, twin: { cert: rsa.leaf + rsa.chain, key: rsa.key } };
  }

  /** Those of the server's own names and of domains alike. */
  get expiries(): readonly Expiry[] {
    return [...this.#placed.values()].flat().map(({ names, notAfter }) => ({ certificate: names.join(' '), notAfter }));
  }

  #shared(chain: string): string {
    const known = this.#chains.get(chain);
    if (known !== undefined) return known;
    this.#chains.set(chain, chain);
    return chain;
  }
}
