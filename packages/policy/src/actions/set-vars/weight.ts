/**
 * What variables hold, in characters. They outlive the expression that made them, and one value may stand in many others
 * (a list twice in a list, that list twice in the next, …): whoever goes through it later meets it as often as it stands
 * there, and so does the weight.
 */
import { isCelList, isCelMap, type CelMap } from '@bufbuild/cel';
import { MAX_TEXT, TOO_DEEP, TOO_MANY_STEPS } from '../../cel/limits.ts';
import { Fatal, type Value } from '../../cel/value.ts';
import { spend, type Budgeted } from '../../cel/work.ts';

/** Of all variables of a phase together. */
export const MAX_WEIGHT = MAX_TEXT;
export const TOO_HEAVY = new Fatal(2249, { max: MAX_WEIGHT });

/** Of anything that is there, besides its characters. */
const EACH = 8;
const MAX_DEPTH = 64;

/** @returns at most about {@link MAX_WEIGHT}; beyond it TOO_HEAVY, without going through the rest */
export function weightOf(value: Value, scope: Budgeted, depth = 0): number | Fatal {
  if (!spend(scope, 1)) return TOO_MANY_STEPS;
  if (depth > MAX_DEPTH) return TOO_DEEP;
  if (typeof value === 'string' || value instanceof Uint8Array) return EACH + value.length;
  if (isCelMap(value)) return weightOfMap(value, scope, depth + 1);
  let weight = EACH;
  if (!isCelList(value)) return weight;
  for (const item of value) {
    const more = weightOf(item, scope, depth + 1);
    if (typeof more !== 'number') return more;
    weight += more;
    if (weight > MAX_WEIGHT) return TOO_HEAVY;
  }
  return weight;
}

function weightOfMap(map: CelMap, scope: Budgeted, depth: number): number | Fatal {
  let weight = EACH;
  for (const [key, item] of map) {
    const more = weightOf(item, scope, depth);
    if (typeof more !== 'number') return more;
    weight += more + (typeof key === 'string' ? key.length : EACH);
    if (weight > MAX_WEIGHT) return TOO_HEAVY;
  }
  return weight;
}
