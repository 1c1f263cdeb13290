/** What bodies are taken apart into. */
import { Exhausted } from '../run/work.ts';

/** Arguments, cookies, headers of parts: each. */
const MOST_ENTRIES = 1_000;

export type Entry = readonly [name: string, value: string];

/** @throws Exhausted */
export function addEntry(entries: Entry[], name: string, value: string): void {
  if (entries.length >= MOST_ENTRIES) throw new Exhausted(`a request has more than ${MOST_ENTRIES} arguments`);
  entries.push([name, value]);
}
