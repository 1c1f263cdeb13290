import type { Scope } from '../../cel/scope.ts';
import { Failure, type Fatal, type Value } from '../../cel/value.ts';
import { fieldPath, readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { deepValue, type DeepValue } from '../deep-value.ts';
import { unfilled } from '../outcome.ts';
import { setVarsAction, setVarsSchema } from './schema.ts';
import { MAX_WEIGHT, TOO_HEAVY, weightOf } from './weight.ts';

interface Assignment {
  readonly name: string;
  readonly value: DeepValue;
}

/**
 * Keeps values under names, for what comes behind it in its phase. Each assignment sees those before it. One that fails
 * ends the request: rules that go by a variable must not be judged by what it held before.
 */
export const setVars: ActionDefinition = {
  descriptor: setVarsAction,
  compile(config, env) {
    const { vars } = readConfig(setVarsSchema, config, env.path);
    const assignments: Assignment[] = vars.flatMap((entry, index) =>
      Object.entries(entry).map(([name, written]) => ({
        name,
        value: deepValue(written, fieldPath('', ['vars', index, name]), env),
      })),
    );
    return {
      terminates: false,
      run(scope) {
        let held = heldBy(scope);
        for (const { name, value } of assignments) {
          if (held instanceof Failure) return unfilled(held);
          const result = value.get(scope);
          if (result instanceof Failure) return unfilled(result);
          held = assign(name, result, held, scope);
        }
        return held instanceof Failure ? unfilled(held) : GO_ON;
      },
    };
  },
};

/** What actions before this one have left. */
function heldBy(scope: Scope): number | Fatal {
  let held = 0;
  for (const value of scope.vars.values()) {
    const weight = weightOf(value, scope);
    if (weight instanceof Failure) return weight;
    held += weight;
  }
  return held;
}

/** @returns what all variables hold then */
function assign(name: string, value: Value, held: number, scope: Scope): number | Fatal {
  const before = scope.vars.get(name);
  const freed = before === undefined ? 0 : weightOf(before, scope);
  if (freed instanceof Failure) return freed;
  const weight = weightOf(value, scope);
  if (weight instanceof Failure) return weight;
  const now = held - freed + weight;
  if (now > MAX_WEIGHT) return TOO_HEAVY;
  scope.vars.set(name, value);
  return now;
}
