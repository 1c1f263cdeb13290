import type { Effort } from '../../regex/effort.ts';
import type { Progress } from '../../regex/replace-bytes.ts';
import type { EventView } from '../../runtime.ts';
import { Rewriting, type Found, type ReadyReplacement } from '../find-replace.ts';
import type { EventField } from './schema.ts';

/** Bytes of a field, as it becomes. */
export const LARGEST_FIELD = 1024 * 1024;

/** The replacements under way in one message, in order, each in its field. */
export class EventRewriting {
  readonly found: Found[] = [];
  readonly #event: EventView;
  readonly #fields: readonly EventField[];
  readonly #replacements: readonly ReadyReplacement[];
  #index = 0;
  #current: Rewriting | null = null;

  constructor(event: EventView, fields: readonly EventField[], replacements: readonly ReadyReplacement[]) {
    this.#event = event;
    this.#fields = fields;
    this.#replacements = replacements;
  }

  advance(effort: Effort): Progress {
    for (; this.#index < this.#replacements.length; this.#index++, this.#current = null) {
      const field = this.#fields[this.#index] ?? 'data';
      const replacement = this.#replacements[this.#index];
      const text = this.#event[field];
      if (text === null || replacement === undefined) continue;
      this.#current ??= new Rewriting(text, [replacement], {
        most: LARGEST_FIELD,
        reserve: (bytes) => this.#event.reserve(bytes),
      });
      const progress = this.#current.advance(effort);
      if (progress !== 'done') return progress;
      const [found] = this.#current.found;
      if (found === undefined) continue;
      this.found.push({ index: this.#index, content: found.content });
      this.#event[field] = this.#current.text;
    }
    return 'done';
  }
}
