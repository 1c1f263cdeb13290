import type { Dice } from '@postern/edge/testing/dice';

/** What one case came to. */
export interface Outcome {
  /** null = as it should be. */
  readonly problem: string | null;
  /** What was fed, so that a finding can be looked at. */
  readonly input: string;
}

/** One thing to fuzz. The same dice make the same case. */
export interface FuzzTarget {
  readonly name: string;
  run(dice: Dice): Outcome;
}

/** A rule that was broken; any other error that leaves a target is a finding too. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export function must(holds: boolean, rule: string): void {
  if (!holds) throw new Broken(rule);
}

export function mustEqual(actual: unknown, expected: unknown, rule: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Broken(`${rule}\n    ${clip(is)}\n    ${clip(should)}`);
}

/** @param check throws when anything is not as it should be */
export function fuzzTarget<Input>(
  name: string,
  make: (dice: Dice) => Input,
  check: (input: Input) => void,
  show: (input: Input) => string,
): FuzzTarget {
  return {
    name,
    run(dice) {
      const input = make(dice);
      try {
        check(input);
      } catch (error) {
        return { problem: describe(error), input: show(input) };
      }
      return { problem: null, input: '' };
    },
  };
}

function describe(error: unknown): string {
  if (error instanceof Broken) return error.message;
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const at = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? '';
  return `threw ${error.name}: ${error.message} ${at.trim()}`;
}

function clip(text: string | undefined): string {
  return text === undefined ? 'undefined' : text.slice(0, 400);
}
