/** Which values a rule looks at. */
import { compilePattern } from '../operators/pattern.ts';
import type { WrittenTarget } from '../syntax/targets.ts';
import type { Field } from '../variables/field.ts';
import { isCollection, type VariableName } from '../variables/names.ts';

/** Chooses among the values of one variable. */
export interface Selector {
  readonly variable: VariableName;
  /** As rules name it, in lower case: what others may take away (`ctl:ruleRemoveTargetById`). */
  readonly key: string;
  /** null = all of them. */
  readonly fits: ((field: Field) => boolean) | null;
  readonly counts: boolean;
}

export interface Target {
  readonly selectors: readonly Selector[];
  readonly excluded: readonly Selector[];
}

/** @throws NotRun */
export function compileTarget(written: readonly WrittenTarget[]): Target {
  return {
    selectors: written.filter(({ excludes }) => !excludes).map(selectorOf),
    excluded: written.filter(({ excludes }) => excludes).map(selectorOf),
  };
}

function selectorOf({ variable, key, pattern, counts }: WrittenTarget): Selector {
  const lower = key.toLowerCase();
  return { variable, key: lower, fits: fitsOf(variable, key, pattern), counts };
}

function fitsOf(variable: VariableName, key: string, pattern: boolean): Selector['fits'] {
  if (key === '' || !isCollection(variable)) return null;
  if (pattern) {
    const regex = compilePattern(`(?i)${key}`);
    return (field) => regex.test(field.key);
  }
  const lower = key.toLowerCase();
  // Of documents, rules choose texts or attributes (variables/collect.ts names them so).
  if (variable === 'XML') {
    const wanted = lower.includes('@') ? '//@*' : '/*';
    return (field) => field.key === wanted;
  }
  return (field) => field.key === lower;
}

export function isMeant(selector: Selector, field: Field, variable: VariableName): boolean {
  return selector.variable === variable && (selector.fits === null || selector.fits(field));
}
