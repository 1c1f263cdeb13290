import type { StaticType } from './value.ts';

/** Why an expression does not compile; `message` is a clause without subject or full stop. */
export class CelProblem extends Error {
  override readonly name = 'CelProblem';
  /** What the expression needs and this build does not have yet; null for every other problem. */
  readonly unavailable: string | null;
  /** Offset of the part of the expression that is wrong; null = not known. */
  at: number | null = null;

  constructor(message: string, unavailable: string | null = null) {
    super(message);
    this.unavailable = unavailable;
  }
}

/** Something of the language that exists, and is refused by name until it is built. */
export function notYet(what: string): CelProblem {
  return new CelProblem(`${what} is not available yet`, what);
}

export function typeNames(types: readonly StaticType[]): string {
  return types.join(', ');
}
