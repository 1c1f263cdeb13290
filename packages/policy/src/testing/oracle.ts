/**
 * The same expression by the CEL library alone: its planner and evaluator, our function table, our variables as flat
 * dotted names. What tests compare our compiler with.
 */
import {
  celEnv,
  celFunc,
  celMethod,
  CelScalar,
  isCelError,
  listType,
  mapType,
  objectType,
  parse,
  plan,
  type CelFunc,
  type CelInput,
  type CelType,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { FunctionDef } from '../cel/functions/definition.ts';
import { FUNCTIONS } from '../cel/functions/index.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure, type Result, type StaticType, type Value } from '../cel/value.ts';
import { VARIABLES } from '../cel/variables/index.ts';

const TYPES: Readonly<Record<StaticType, CelType>> = {
  dyn: CelScalar.DYN,
  bool: CelScalar.BOOL,
  int: CelScalar.INT,
  uint: CelScalar.UINT,
  double: CelScalar.DOUBLE,
  string: CelScalar.STRING,
  bytes: CelScalar.BYTES,
  null: CelScalar.NULL,
  type: CelScalar.TYPE,
  list: listType(CelScalar.DYN),
  map: mapType(CelScalar.DYN, CelScalar.DYN),
  timestamp: objectType(TimestampSchema),
  duration: objectType(DurationSchema),
};

/** @param names what stands besides the variables of policies */
export function evaluateByLibrary(text: string, scope: Scope, names: ReadonlyMap<string, Value> = new Map()): Result {
  const own = FUNCTIONS.slice(
    0,
    FUNCTIONS.findIndex(({ name, args }) => name === 'int' && args[0] === 'int'),
  );
  const env = celEnv({ funcs: [...strings, ...own.map((row) => asCelFunc(row, scope))] });
  const bindings: Record<string, CelInput> = { vars: Object.fromEntries(scope.vars) as CelInput };
  for (const variable of VARIABLES.values()) {
    const value = variable.get(scope);
    if (!(value instanceof Failure)) bindings[variable.name] = value;
  }
  for (const [name, value] of names) bindings[name] = value;
  const result = plan(env, parse(text).expr)(bindings);
  return isCelError(result) ? new Failure(result.message) : result;
}

function asCelFunc(row: FunctionDef, scope: Scope): CelFunc {
  const types = row.args.map((type) => TYPES[type]);
  const result = TYPES[row.result];
  const run = (args: Value[]): CelInput => {
    const value = row.apply(scope, ...args);
    if (value instanceof Failure) throw new Error(value.message);
    return value;
  };
  if (row.style === 'global') return celFunc(row.name, types, result, (...args: Value[]) => run(args));
  const [target = CelScalar.DYN, ...rest] = types;
  return celMethod(row.name, target, rest, result, function method(this: Value, ...args: Value[]) {
    return run([this, ...args]);
  });
}
