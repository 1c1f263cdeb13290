/** rand.* (traffic-policy.md §7). Both ends of rand.int(min, max) are inclusive. */
import { Failure, type Result } from '../value.ts';
import { define, type FunctionDef } from './definition.ts';

const EMPTY_RANGE = new Failure('rand.int() needs its first number to be at most its second');
const TOO_WIDE = new Failure('rand.int() covers at most 2^53 numbers');

function between(random: number, min: bigint, max: bigint): Result {
  if (min > max) return EMPTY_RANGE;
  const width = max - min + 1n;
  if (width > 9_007_199_254_740_991n) return TOO_WIDE;
  return min + BigInt(Math.floor(random * Number(width)));
}

export const RANDOM_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'rand.double', [], 'double', ({ context }) => context.random()),
  define('global', 'rand.int', [], 'int', ({ context }) => between(context.random(), 0n, 1n)),
  define('global', 'rand.int', ['int', 'int'], 'int', ({ context }, min, max) => between(context.random(), min, max)),
];
