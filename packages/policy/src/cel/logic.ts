/** Logic with CEL's absorption: a failure on one side does not matter when the other side decides. */
import { constant, type Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { alwaysMayBe, shapeName, union } from './shapes.ts';
import { Failure, type Result } from './value.ts';

const NOT_BOOL = new Failure('true or false is needed on both sides of && and ||, and after !');

function needBool(operand: Compiled, where: string): void {
  if (!alwaysMayBe(operand, 'bool')) {
    throw new CelProblem(`"${where}" needs true or false, not ${shapeName(operand)}`);
  }
}

export function buildAnd(left: Compiled, right: Compiled): Compiled {
  needBool(left, '&&');
  needBool(right, '&&');
  const l = left.eval;
  const r = right.eval;
  return {
    type: 'bool',
    eval(scope) {
      const a = l(scope);
      if (a === false) return false;
      const b = r(scope);
      if (b === false) return false;
      return a === true && b === true ? true : undecided(a, b);
    },
  };
}

export function buildOr(left: Compiled, right: Compiled): Compiled {
  needBool(left, '||');
  needBool(right, '||');
  const l = left.eval;
  const r = right.eval;
  return {
    type: 'bool',
    eval(scope) {
      const a = l(scope);
      if (a === true) return true;
      const b = r(scope);
      if (b === true) return true;
      return a === false && b === false ? false : undecided(a, b);
    },
  };
}

function undecided(a: Result, b: Result): Failure {
  if (a instanceof Failure) return a;
  return b instanceof Failure ? b : NOT_BOOL;
}

export function buildNot(operand: Compiled): Compiled {
  needBool(operand, '!');
  if (typeof operand.constant?.value === 'boolean') return constant('bool', !operand.constant.value);
  const get = operand.eval;
  return {
    type: 'bool',
    eval(scope) {
      const value = get(scope);
      if (typeof value === 'boolean') return !value;
      return value instanceof Failure ? value : NOT_BOOL;
    },
  };
}

export function buildConditional(test: Compiled, then: Compiled, otherwise: Compiled): Compiled {
  needBool(test, '?');
  const pick = test.eval;
  return {
    ...union([then, otherwise]),
    eval(scope) {
      const value = pick(scope);
      if (value === true) return then.eval(scope);
      if (value === false) return otherwise.eval(scope);
      return value instanceof Failure ? value : NOT_BOOL;
    },
  };
}

/** What macros ask before another step: anything but a plain false goes on. */
export function buildNotStrictlyFalse(operand: Compiled): Compiled {
  const get = operand.eval;
  return { type: 'bool', eval: (scope) => get(scope) !== false };
}
