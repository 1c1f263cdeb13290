import type { TlsIdentity } from '@postern/link';
import { X509Certificate } from 'node:crypto';
import type { ManagedCertificateRow, ReservedDomainRow, Store, Tables } from '@postern/store';
import type { Expiry } from './certificate-files.ts';

type Managed = Pick<ManagedCertificateRow, 'id' | 'domainId' | 'names' | 'keyType'>;

/** Unix milliseconds. */
interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

interface Placed extends Life {
  /** Whose place among those for the same names it has: another one of it replaces it. */
  readonly member: string;
  readonly names: readonly string[];
  readonly isRsa: boolean;
  /** The server's own certificate, by itself: its chain is shared with others of the same issuer. */
  readonly leaf: string;
  readonly chain: string;
  readonly key: string;
}

const END = '-----END CERTIFICATE-----';
/** Read at once: what is read is several times what is kept of it. */
const PAGE = 100;

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
  /** Answers of OCSP (base64), by member. */
  readonly #staples = new Map<string, string>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async load(): Promise<void> {
    const managed = Map.groupBy(await this.#store.all('managedCertificates'), ({ certificateId }) => certificateId);
    const domains = await this.#store.all('reservedDomains');
    const given = Map.groupBy(domains, ({ certificateId }) => certificateId);
    given.delete('');
    const last: (() => void)[] = [];
    for await (const row of this.#rows()) {
      const identity = { cert: row.certificatePem, key: row.privateKeyPem };
      const life = { notBefore: Date.parse(row.notBefore), notAfter: Date.parse(row.notAfter) };
      for (const one of managed.get(row.id) ?? []) this.#placeManaged(one, identity, life);
      // What was given for a name takes the place of what was ordered for it.
      for (const { id, domain } of given.get(row.id) ?? [])
        last.push(() => this.#placeGiven(id, domain, identity, life));
    }
    for (const place of last) place();
  }

  async *#rows(): AsyncGenerator<Tables['tlsCertificates']> {
    for (const { id: accountId } of await this.#store.accounts()) {
      let before: { readonly beforeId?: string } = {};
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- a page after the other
        const page = await this.#store.tlsCertificates.list({ accountId, ...before, limit: PAGE });
        yield* page;
        const oldest = page.at(-1);
        if (oldest === undefined || page.length < PAGE) break;
        before = { beforeId: oldest.id };
      }
    }
  }

  /** Of what is served under it; null = nothing is. */
  lifeOf({ id, domainId, names }: Pick<Managed, 'id' | 'domainId' | 'names'>): Life | null {
    return this.#placed.get(placeOf(domainId, names))?.find(({ member }) => member === id) ?? null;
  }

  /** A reserved domain may name another certificate, or none. @returns names for which something else is served now */
  async domainChanged(id: string, row: ReservedDomainRow | null): Promise<readonly string[]> {
    const { domain = '', certificateId = '' } = row ?? {};
    const found = certificateId === '' ? null : await this.#store.tlsCertificates.get(certificateId);
    const identity = found === null ? null : { cert: found.certificatePem, key: found.privateKeyPem };
    return this.#placeGiven(id, domain, identity);
  }

  /**
   * What was ordered; those for the same names with another kind of key stay beside it.
   * @param identity null = there is none any more
   * @returns names for which something else is served now
   */
  placeManaged(managed: Managed, identity: TlsIdentity | null): readonly string[] {
    return this.#placeManaged(managed, identity);
  }

  #placeManaged(
    { id, domainId, names, keyType }: Managed,
    identity: TlsIdentity | null,
    life?: Life,
  ): readonly string[] {
    const entry = identity === null ? null : this.#entry(id, names, keyType === 'rsa', identity, life);
    return this.#place(placeOf(domainId, names), id, entry);
  }

  /** What handshakes carry beside what was ordered; null = nothing. @param response DER */
  carry(managedId: string, response: Buffer | null): void {
    if (response === null) this.#staples.delete(managedId);
    else this.#staples.set(managedId, response.toString('base64'));
  }

  /** What was ordered, with the row that it is of. */
  *ordered(): Generator<{ readonly id: string; readonly names: readonly string[]; readonly chain: string }> {
    for (const placed of this.#placed.values())
      for (const { member, names, leaf, chain } of placed)
        if (member !== '') yield { id: member, names, chain: leaf + chain };
  }

  #stapleOf(member: string): { readonly staple?: string } {
    const staple = this.#staples.get(member);
    return staple === undefined ? {} : { staple };
  }

  /** What was uploaded for a domain, beside what was issued for it. */
  #placeGiven(domainId: string, domain: string, identity: TlsIdentity | null, life?: Life): readonly string[] {
    const entry = identity === null ? null : this.#entry('', [domain], false, identity, life);
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

  /** @param life where it is known: to read it out of the certificate takes a tenth of a millisecond */
  #entry(member: string, names: readonly string[], isRsa: boolean, { cert, key }: TlsIdentity, life?: Life): Placed {
    const end = cert.indexOf(END) + END.length;
    const leaf = alone(cert.slice(0, end));
    const chain = this.#shared(cert.slice(end));
    const { notBefore, notAfter } = life ?? lifeIn(leaf);
    return { member, names, isRsa, leaf, chain, key, notBefore, notAfter };
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
    if (main === rsa || rsa === null) {
      return { cert: leaf + chain, key, line: place, ...this.#stapleOf(main.member) };
    }
    return { cert: leaf + chain, key, line: place, twin: { cert: rsa.leaf + rsa.chain, key: rsa.key } };
  }

  /** Those of the server's own names and of domains alike. */
  get expiries(): readonly Expiry[] {
    return [...this.#placed.values()].flat().map(({ names, notAfter }) => ({ certificate: names.join(' '), notAfter }));
  }

  #shared(chain: string): string {
    const known = this.#chains.get(chain);
    if (known !== undefined) return known;
    const own = alone(chain);
    this.#chains.set(own, own);
    return own;
  }
}

/** A reserved domain, or names of the server's own. */
function placeOf(domainId: string, names: readonly string[]): string {
  return domainId || `own ${names[0] ?? ''}`;
}

/** The same text by itself: a part of a text keeps the whole of it in memory. */
function alone(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

function lifeIn(leaf: string): Life {
  const { validFromDate, validToDate } = new X509Certificate(leaf);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}
