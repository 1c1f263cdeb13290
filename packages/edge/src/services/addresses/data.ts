/**
 * What operators' files say about addresses: databases in MaxMind's format for places and networks, lists for
 * categories. Read once, for all edges of the process; what was looked up last is kept.
 */
import { Reader, type Response } from 'mmdb-lib';
import type { AddressFacts, Addresses } from '@postern/policy';
import { Categories } from './categories.ts';
import { networkIn, placesIn } from './facts.ts';

export interface AddressFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Addresses whose facts are kept: expressions of one request ask for the same one again and again. */
const KEPT = 4_096;
/** Ends the file, behind the tree and the data. */
const METADATA_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const NOBODY = '0.0.0.0';

export class AddressData implements Addresses {
  readonly #databases: Reader<Response>[] = [];
  readonly #categories = new Categories();
  readonly #kept = new Map<string, AddressFacts>();

  /** @throws Error that names the file */
  constructor(files: readonly AddressFile[]) {
    for (const { name, bytes } of files) {
      try {
        if (bytes.lastIndexOf(METADATA_MARK) === -1) this.#categories.add(bytes.toString('utf8'));
        else this.#databases.push(opened(bytes));
      } catch (error) {
        throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  }

  about(ip: string): AddressFacts {
    const kept = this.#kept.get(ip);
    if (kept !== undefined) return kept;
    const facts = this.#find(ip);
    if (this.#kept.size >= KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(ip, facts);
    return facts;
  }

  /** Databases that are named later fill in what earlier ones leave open. */
  #find(ip: string): AddressFacts {
    let facts: AddressFacts = {
      location: {},
      registered: {},
      asNumber: 0,
      asOrganization: '',
      categories: this.#categories.of(ip),
    };
    for (const database of this.#databases) {
      const record = recordOf(database, ip);
      if (record === null) continue;
      const { location, registered } = placesIn(record);
      const network = facts.asNumber === 0 ? networkIn(record) : null;
      facts = {
        ...facts,
        ...network,
        location: { ...location, ...facts.location },
        registered: { ...registered, ...facts.registered },
      };
    }
    return facts;
  }
}

/** @throws Error when it is no database, or one that breaks at the first look */
function opened(bytes: Buffer): Reader<Response> {
  const database = new Reader<Response>(bytes);
  database.get(NOBODY);
  return database;
}

/** A database that is broken inside has nothing to say there. */
function recordOf(database: Reader<Response>, ip: string): Response | null {
  try {
    return database.get(ip);
  } catch {
    return null;
  }
}
