import type { Subject } from '../types.ts';

type Named = Pick<Subject, 'domainId' | 'names' | 'keyType'>;

export interface Paired<T> {
  readonly pairs: readonly (readonly [T, Subject])[];
  /** Nobody wants them any more. */
  readonly lost: readonly T[];
  /** There is nothing of them yet. */
  readonly added: readonly Subject[];
}

/** What is there beside what is wanted: the same names with the same kind of key, else the same names with another one. */
export function paired<T>(there: Iterable<T>, named: (one: T) => Named, wanted: Iterable<Subject>): Paired<T> {
  const open = new Map<string, Subject>();
  for (const subject of wanted) open.set(keyOf(subject), subject);
  const pairs: (readonly [T, Subject])[] = [];
  const lost: T[] = [];
  const others: T[] = [];
  for (const one of there) {
    const subject = open.get(keyOf(named(one)));
    if (subject === undefined) others.push(one);
    else {
      open.delete(keyOf(subject));
      pairs.push([one, subject]);
    }
  }
  const byNames = new Map([...open.values()].map((subject) => [namesOf(subject), subject]));
  for (const one of others) {
    const subject = byNames.get(namesOf(named(one)));
    if (subject === undefined) lost.push(one);
    else {
      byNames.delete(namesOf(subject));
      open.delete(keyOf(subject));
      pairs.push([one, subject]);
    }
  }
  return { pairs, lost, added: [...open.values()] };
}

/** The same for no two that are kept. */
export function keyOf(one: Named): string {
  return `${namesOf(one)} ${one.keyType}`;
}

/** Of a reserved domain, or of the first name of the server's own. */
function namesOf({ domainId, names }: Named): string {
  return domainId === '' ? `own ${names[0] ?? ''}` : domainId;
}
