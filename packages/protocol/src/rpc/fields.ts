import { fail } from '@postern/errors';

/** Rows of the error table that say "this message cannot be read". */
type Complaint = 109 | 301;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A received object, read by name whatever the case and the underscores of its keys: SDKs differ in both
 * (agent-protocol.md §0, rule 1, and §5.3). null is the same as absent; a wrong kind is an error that names the field.
 */
export class Fields {
  readonly #values = new Map<string, unknown>();
  readonly #where: string;
  readonly #complaint: Complaint;

  /** @param where what the object is, for messages: "Auth", "Bind.Opts" */
  constructor(value: unknown, where: string, complaint: Complaint) {
    this.#where = where;
    this.#complaint = complaint;
    if (!isJsonObject(value)) throw this.error(`${where} must be an object`);
    for (const [key, entry] of Object.entries(value)) {
      if (entry !== null) this.#values.set(normalise(key), entry);
    }
  }

  has(name: string): boolean {
    return this.#values.has(normalise(name));
  }

  raw(name: string): unknown {
    return this.#values.get(normalise(name));
  }

  string(name: string): string {
    const value = this.raw(name);
    if (value === undefined) return '';
    if (typeof value !== 'string') throw this.#wrong(name, 'a string');
    return value;
  }

  /** null when absent: some fields say something by that. */
  stringOrNull(name: string): string | null {
    return this.has(name) ? this.string(name) : null;
  }

  boolean(name: string): boolean {
    const value = this.raw(name);
    if (value === undefined) return false;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  number(name: string): number {
    const value = this.raw(name);
    if (value === undefined) return 0;
    // JSON can write numbers that are none here: 1e999.
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrong(name, 'a number');
    return value;
  }

  strings(name: string): readonly string[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
      throw this.#wrong(name, 'a list of strings');
    }
    return value;
  }

  stringMap(name: string): Readonly<Record<string, string>> {
    const value = this.raw(name);
    if (value === undefined) return {};
    if (!isJsonObject(value)) throw this.#wrong(name, 'an object of strings');
    const strings: [string, string][] = [];
    for (const [key, entry] of Object.entries(value)) {
      if (typeof entry !== 'string') throw this.#wrong(name, 'an object of strings');
      strings.push([key, entry]);
    }
    return Object.fromEntries(strings);
  }

  /** undefined when absent. */
  object(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : new Fields(value, `${this.#where}.${name}`, this.#complaint);
  }

  /** Empty when absent. */
  objects(name: string): readonly Fields[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list');
    return value.map((entry, index) => new Fields(entry, `${this.#where}.${name}[${index}]`, this.#complaint));
  }

  /** Text that travels as standard base64 of its bytes. */
  base64(name: string): string {
    const text = this.string(name);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw this.#wrong(name, 'standard base64');
    return Buffer.from(text, 'base64').toString('utf8');
  }

  error(reason: string): Error {
    return fail(this.#complaint, { reason });
  }

  /** As {@link error}, for one field of this object. */
  fieldError(name: string, reason: string): Error {
    return this.error(`${this.#where}.${name} ${reason}`);
  }

  #wrong(name: string, wanted: string): Error {
    return this.fieldError(name, `must be ${wanted}`);
  }
}

function normalise(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}
