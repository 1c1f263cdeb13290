/** Which name or port somebody gets who asked for none in particular. Pure: what is there, and the dice, are given. */

/** `awaited`: it may be given, but whoever had it a moment ago may be back for it, so it comes last. */
export type Standing = 'free' | 'awaited' | 'taken';

interface Reservation {
  readonly accountId: string;
  /** It goes with its last user, so that it keeps only others away. */
  readonly automatic: boolean;
}

/** What is known of a port. */
export interface PortThere {
  readonly reservations: readonly Reservation[];
  /** Somebody is online there, or has a row for it. */
  readonly held: boolean;
  /** An agent held it a moment ago. */
  readonly leftLately: boolean;
}

export function standingOfPort({ reservations, held, leftLately }: PortThere, accountId: string): Standing {
  if (held || reservations.some((row) => !row.automatic || row.accountId !== accountId)) return 'taken';
  return leftLately || reservations.length > 0 ? 'awaited' : 'free';
}

/** A generated name is given to nobody who has it reserved: that would make it one that was asked for. */
export function standingOfName({ reserved, held }: { readonly reserved: boolean; readonly held: boolean }): Standing {
  return reserved || held ? 'taken' : 'free';
}

/** All of them, in their order, beginning where the dice say. @param dice a whole number from 0 up */
export function fromAnywhere<T>(list: readonly T[], dice: number): T[] {
  const start = list.length === 0 ? 0 : dice % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** The names that a drawn label may become, best first. */
export function namesOf(label: string, baseDomains: readonly string[], allows: (host: string) => boolean): string[] {
  return baseDomains.map((base) => `${label}.${base}`).filter(allows);
}

/** Null = none. */
export interface Found<T> {
  readonly free: T | null;
  readonly awaited: T | null;
}

/** The first that is free; else the first that is awaited, of these or of earlier ones. */
export function firstOf<T>(
  candidates: readonly T[],
  standing: (candidate: T) => Standing,
  awaitedBefore: T | null = null,
): Found<T> {
  let awaited = awaitedBefore;
  for (const candidate of candidates) {
    const found = standing(candidate);
    if (found === 'free') return { free: candidate, awaited };
    if (found === 'awaited') awaited ??= candidate;
  }
  return { free: null, awaited };
}
