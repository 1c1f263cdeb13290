/**
 * Which fields of a head somebody has to look at before it passes. Names are told by length and first letter, which
 * dismisses nearly all of them at one look; a name that only looks like one of them costs time and nothing else.
 */
import { HOP_BY_HOP_NAMES } from './hop-by-hop.ts';

/** By {@link slotOf}: bits of {@link Use}. */
export type NameTable = Uint8Array;

export const Use = { ofHop: 1, special: 2, noted: 4 } as const;

const LENGTHS = 64;
const LETTERS = 32;

/** @param first code of the first letter, of which five bits count: those that both cases share */
export function slotOf(length: number, first: number): number {
  return (length < LENGTHS ? length : LENGTHS - 1) * LETTERS + (first & (LETTERS - 1));
}

export interface NamesToSee {
  /** Lower-case names. A head with one of these is not {@link FieldLines.plain}. */
  readonly special: readonly string[];
  /** The same for all names that begin so. */
  readonly specialBeginnings: readonly string[];
  /** Lower-case names. A head with one of these is {@link FieldLines.noted}. */
  readonly noted: readonly string[];
}

export function nameTable({ special, specialBeginnings, noted }: NamesToSee): NameTable {
  const table = new Uint8Array(LENGTHS * LETTERS);
  const add = (length: number, first: number, use: number): void => {
    const slot = slotOf(length, first);
    table[slot] = (table[slot] ?? 0) | use;
  };
  for (const name of HOP_BY_HOP_NAMES) add(name.length, name.charCodeAt(0), Use.ofHop);
  for (const name of special) add(name.length, name.charCodeAt(0), Use.special);
  for (const name of noted) add(name.length, name.charCodeAt(0), Use.noted);
  for (const name of specialBeginnings) {
    for (let length = name.length; length < LENGTHS; length++) add(length, name.charCodeAt(0), Use.special);
  }
  return table;
}

export const NO_NAMES: NameTable = nameTable({ special: [], specialBeginnings: [], noted: [] });
