import type { TlsIdentity } from '@postern/link';
import type { ReservedDomainRow, Store } from '@postern/store';
import { type Expiry, endOf } from './certificate-files.ts';

interface Placed {
  readonly names: readonly string[];
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
  /** By what they were placed under: a reserved domain, or names of the server's own. */
  readonly #placed = new Map<string, Placed>();
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
    for (const { names, domainId, id, certificateId } of await this.#store.all('managedCertificates')) {
      const row = rows.get(certificateId);
      if (row !== undefined) this.place(domainId || id, names, { cert: row.certificatePem, key: row.privateKeyPem });
    }
    for (const { id, domain, certificateId } of await this.#store.all('reservedDomains')) {
      const row = rows.get(certificateId);
      if (row !== undefined) this.place(givenTo(id), [domain], { cert: row.certificatePem, key: row.privateKeyPem });
    }
  }

  /** A reserved domain may name another certificate, or none. @returns names for which something else is served now */
  async domainChanged(id: string, row: ReservedDomainRow | null): Promise<readonly string[]> {
    const { domain = '', certificateId = '' } = row ?? {};
    const found = certificateId === '' ? null : await this.#store.tlsCertificates.get(certificateId);
    const identity = found === null ? null : { cert: found.certificatePem, key: found.privateKeyPem };
    return this.place(givenTo(id), [domain], identity);
  }

  /** @param identity null = nothing is served under the place any more. @returns names for which something else is served now */
  place(place: string, names: readonly string[], identity: TlsIdentity | null): readonly string[] {
    const before = this.#placed.get(place);
    if (before === undefined && identity === null) return [];
    for (const name of before?.names ?? []) if (this.#byName.get(name) === place) this.#byName.delete(name);
    this.#placed.delete(place);
    if (identity === null) return before?.names ?? [];
    const end = identity.cert.indexOf(END) + END.length;
    const leaf = identity.cert.slice(0, end);
    const notAfter = endOf(leaf);
    this.#placed.set(place, {
      names,
      leaf,
      chain: this.#shared(identity.cert.slice(end)),
      key: identity.key,
      notAfter,
    });
    for (const name of names) this.#byName.set(name, place);
    return [...new Set([...(before?.names ?? []), ...names])];
  }

  /** Exact, or a wildcard one label up (RFC 6125 §6.4.3). */
  find(serverName: string): TlsIdentity | null {
    const dot = serverName.indexOf('.');
    const wildcard = dot === -1 ? '' : `*${serverName.slice(dot)}`;
    const place = this.#byName.get(serverName) ?? this.#byName.get(wildcard);
    const placed = place === undefined ? undefined : this.#placed.get(place);
    if (place === undefined || placed === undefined) return null;
    return { cert: placed.leaf + placed.chain, key: placed.key, line: place };
  }

  /** Those of the server's own names and of domains alike. */
  get expiries(): readonly Expiry[] {
    return [...this.#placed.values()].map(({ names, notAfter }) => ({ certificate: names.join(' '), notAfter }));
  }

  #shared(chain: string): string {
    const known = this.#chains.get(chain);
    if (known !== undefined) return known;
    this.#chains.set(chain, chain);
    return chain;
  }
}

/** What was uploaded for a domain, beside what was issued for it. */
function givenTo(domainId: string): string {
  return `given ${domainId}`;
}
