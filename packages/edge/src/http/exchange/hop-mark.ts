/**
 * A request that comes round again is stopped. What leaves for a service carries a mark that names the endpoints which
 * it has entered the edge through; where the service leads back here, the mark comes with it.
 *
 * - The same endpoint a second time is a circle: 508, at the first return.
 * - Another endpoint is a chain, which people build on purpose (a gateway that calls a service by its public name). It
 *   may return {@link MOST_RETURNS} times.
 *
 * The mark is signed with a key that the edges of one node share, so that no visitor can make one, and each edge knows
 * those of the others; what nobody of them signed is removed. It holds no ids, only what the key makes of them, and
 * answers never carry it.
 */
import { createHmac } from 'node:crypto';
import type { RawFields } from '@postern/protocol';
import type { RouteEndpoint } from '@postern/link';
import { isNamed } from './fields.ts';

/** Name of the field. */
export const HOP_MARK = 'Postern-Hop';
const LOWER = 'postern-hop';
/** On the answer that ends a circle: each edge on the way back says the same, instead of relaying a page. */
const ENDED = 'ended ';
const MOST_RETURNS = 4;
const TAG_CHARS = 8;
const SIGNATURE_CHARS = 16;
const SHAPE = /^([\w-]{8}(?:\.[\w-]{8}){0,7})~([\w-]{16})$/;

/** An endpoint that a request has entered through, as the edge keeps it while it is what it is. */
interface Entry {
  readonly endpoint: Pick<RouteEndpoint, 'id'>;
}

/** What a request enters the edge as. */
export type Return = 'none' | 'chain' | 'circle';

export class HopMarks {
  #key: Uint8Array | null = null;
  #ended = '';
  /** Of each endpoint its tag, and the mark of a request that entered through it alone. */
  #known = new WeakMap<Entry, { readonly tag: string; readonly mark: string }>();

  /** Before anything is marked, and again when another key counts. @param key secret; 32 bytes */
  signWith(key: Uint8Array): void {
    this.#key = key;
    this.#known = new WeakMap();
    this.#ended = ENDED + this.#sign('ended', SIGNATURE_CHARS);
  }

  /** Takes the mark out of a visitor's fields. @returns the endpoints entered before, '' when there are none */
  take(fields: RawFields): string {
    let trail = '';
    for (let at = fields.length - 2; at >= 0; at -= 2) {
      const name = fields[at] ?? '';
      if (name.length !== LOWER.length || !isNamed(name, LOWER)) continue;
      trail = this.#read(fields[at + 1] ?? '') || trail;
      fields.splice(at, 2);
    }
    return trail;
  }

  judge(trail: string, entry: Entry): Return {
    if (trail === '') return 'none';
    const tags = trail.split('.');
    return tags.length >= MOST_RETURNS || tags.includes(this.#of(entry).tag) ? 'circle' : 'chain';
  }

  /** The mark of what leaves for a service. */
  markOf(trail: string, entry: Entry): string {
    const { tag, mark } = this.#of(entry);
    return trail === '' ? mark : this.#mark(`${trail}.${tag}`);
  }

  /** The trail of what a policy of `entry` asks for itself: should it lead back there, that is a circle, too. */
  onward(trail: string, entry: Entry): string {
    const { tag } = this.#of(entry);
    return trail === '' ? tag : `${trail}.${tag}`;
  }

  /** The field of an answer that ends a circle. */
  get ended(): readonly [string, string] {
    return [HOP_MARK, this.#ended];
  }

  /** Whether an edge further on has ended a circle with this answer; takes the field out. */
  takeEnded(fields: RawFields): boolean {
    let found = false;
    for (let at = fields.length - 2; at >= 0; at -= 2) {
      if (!isNamed(fields[at] ?? '', LOWER)) continue;
      found ||= fields[at + 1] === this.#ended;
      fields.splice(at, 2);
    }
    return found;
  }

  #of(live: Entry): { readonly tag: string; readonly mark: string } {
    let known = this.#known.get(live);
    if (known === undefined) {
      const tag = this.#sign(`endpoint ${live.endpoint.id}`, TAG_CHARS);
      this.#known.set(live, (known = { tag, mark: this.#mark(tag) }));
    }
    return known;
  }

  #mark(trail: string): string {
    return `${trail}~${this.#sign(`trail ${trail}`, SIGNATURE_CHARS)}`;
  }

  #read(value: string): string {
    const [, trail = '', signature = ''] = SHAPE.exec(value) ?? [];
    return trail !== '' && this.#sign(`trail ${trail}`, SIGNATURE_CHARS) === signature ? trail : '';
  }

  #sign(text: string, chars: number): string {
    if (this.#key === null) throw new Error('nobody has said yet what marks are signed with');
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, chars);
  }
}

/** Whether a field of a service's answer is a mark: it may have sent its request's fields back. */
export function isHopMark(name: string, value: string): boolean {
  return name.length === LOWER.length && isNamed(name, LOWER) && !value.startsWith(ENDED);
}
