/**
 * Syntax tree → closures. One pass checks (names, functions, types as far as they are known) and compiles; what it
 * returns evaluates without looking at the tree again.
 */
import { celList, celMap, celUint, isCelUint, type CelInput, type CelUint } from '@bufbuild/cel';
import type {
  Constant,
  Expr,
  Expr_CreateStruct,
  Expr_Select,
  ParsedExpr,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { CompileContext } from './context.ts';
import { buildCall } from './calls.ts';
import { constant, type Builder, type Compiled, type Local } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { buildFold } from './fold.ts';
import { libraryOperation } from './library.ts';
import { pathOfExpr, presence, resolvePath, selectField } from './names.ts';
import type { Eval } from './scope.ts';
import { shapeOf, union, type Shape } from './shapes.ts';
import { expressionText } from './text.ts';
import { Failure, kindOf, type Result, type Value } from './value.ts';

const MAX_DEPTH = 200;
const MAX_ITEMS = 5000;
const TYPE_NAMES: ReadonlySet<string> = new Set(
  'bool int uint double string bytes list map null_type type google.protobuf.Timestamp google.protobuf.Duration'.split(
    ' ',
  ),
);

/** @throws CelProblem */
export function buildExpression(
  { expr, sourceInfo }: ParsedExpr,
  { phase, usesResult, programs, variables, told }: CompileContext,
): Compiled {
  if (expr === undefined) throw new CelProblem('it is empty');
  const positions = sourceInfo?.positions ?? {};
  const macros = sourceInfo?.macroCalls ?? {};
  let slots = 0;
  let nodes = 0;
  const builder = (locals: ReadonlyMap<string, Local>, depth: number, folds: number): Builder => ({
    phase,
    locals,
    depth,
    folds,
    usesResult,
    slot: () => slots++,
    nodes: () => nodes,
    program: (size) => (programs === undefined ? true : (programs.left -= size) >= 0),
    build(child, childLocals = locals, childFolds = folds) {
      if (depth >= MAX_DEPTH) throw new CelProblem(`it is nested more than ${MAX_DEPTH} deep`);
      nodes++;
      try {
        const built = buildNode(child, builder(childLocals, depth + 1, childFolds));
        // The whole is its owner's to tell; what macros repeat for each item is left out.
        const tells = told !== undefined && depth > 0 && childFolds === 0 && built.constant === undefined;
        return tells ? telling(built, expressionText(child, macros), told) : built;
      } catch (error) {
        // The innermost place that is known is where the mistake is.
        if (error instanceof CelProblem) error.at ??= positions[String(child.id)] ?? null;
        throw error;
      }
    },
  });
  const given = new Map<string, Local>();
  for (const [name, shape] of variables ?? []) given.set(name, { slot: slots++, shape });
  return builder(given, 0, 0).build(expr);
}

function telling(built: Compiled, text: string, told: (text: string, value: Result) => void): Compiled {
  return {
    ...built,
    eval(scope) {
      const value = built.eval(scope);
      told(text, value);
      return value;
    },
  };
}

function buildNode(expr: Expr, b: Builder): Compiled {
  switch (expr.exprKind.case) {
    case 'constExpr': {
      const value = constantValue(expr.exprKind.value);
      return constant(kindOf(value), value);
    }
    case 'identExpr':
      return buildIdent(expr, expr.exprKind.value.name, b);
    case 'selectExpr':
      return buildSelect(expr, expr.exprKind.value, b);
    case 'callExpr':
      return buildCall(expr.exprKind.value, b);
    case 'listExpr':
      return buildList(expr.exprKind.value.elements, b);
    case 'structExpr':
      return buildMap(expr.exprKind.value, b);
    case 'comprehensionExpr':
      return buildFold(expr.exprKind.value, b);
    default:
      throw new CelProblem('it is empty');
  }
}

function constantValue(value: Constant): Value {
  const kind = value.constantKind;
  switch (kind.case) {
    case 'uint64Value':
      return celUint(kind.value);
    case 'nullValue':
      return null;
    case 'stringValue':
    case 'bytesValue':
    case 'doubleValue':
    case 'boolValue':
    case 'int64Value':
      return kind.value;
    default:
      throw new CelProblem('a literal of this kind cannot be used');
  }
}

function buildIdent(expr: Expr, name: string, b: Builder): Compiled {
  const local = b.locals.get(name);
  if (local !== undefined) {
    const { slot, shape } = local;
    const unbound = new Failure(`${name} has no value`);
    return { ...shape, eval: (scope) => scope.locals[slot] ?? (scope.locals[slot] === null ? null : unbound) };
  }
  const type = typeNamed(name);
  if (type !== null) return type;
  const path = pathOfExpr(expr, b.locals);
  return resolvePath(path ?? [name], b);
}

function typeNamed(name: string): Compiled | null {
  if (!TYPE_NAMES.has(name)) return null;
  const type = libraryOperation(name)();
  return type instanceof Failure ? null : constant('type', type);
}

function buildSelect(expr: Expr, node: Expr_Select, b: Builder): Compiled {
  if (node.operand === undefined) throw new CelProblem('it is incomplete');
  if (node.testOnly) return presence(node.operand, node.field, b);
  const path = pathOfExpr(expr, b.locals);
  const type = path === null ? null : typeNamed(path.join('.'));
  if (type !== null) return type;
  return path === null ? selectField(b.build(node.operand), node.field) : resolvePath(path, b);
}

function buildList(elements: readonly Expr[], b: Builder): Compiled {
  if (elements.length > MAX_ITEMS) throw new CelProblem(`a list of more than ${MAX_ITEMS} items`);
  const items = elements.map((element) => b.build(element));
  // Of an empty list nothing is known: it equals every other empty list.
  const of: Shape = items.length === 0 ? { type: 'list' } : { type: 'list', item: union(items) };
  const constants = items.map((one) => one.constant);
  if (constants.every((one) => one !== undefined)) {
    return { ...constant('list', celList(constants.map((one) => one.value))), ...of };
  }
  const evals = items.map((one) => one.eval);
  return {
    ...of,
    eval(scope) {
      const values: CelInput[] = [];
      for (const evaluate of evals) {
        const value = evaluate(scope);
        if (value instanceof Failure) return value;
        values.push(value);
      }
      return celList(values);
    },
  };
}

function buildMap(node: Expr_CreateStruct, b: Builder): Compiled {
  if (node.messageName !== '') throw new CelProblem(`there is no type ${node.messageName}`);
  if (node.entries.length > MAX_ITEMS) throw new CelProblem(`a map of more than ${MAX_ITEMS} entries`);
  const built = node.entries.map((entry): readonly [Compiled, Compiled] => {
    if (entry.keyKind.case !== 'mapKey' || entry.value === undefined) throw new CelProblem('a map entry is incomplete');
    return [b.build(entry.keyKind.value), b.build(entry.value)];
  });
  const entries = built.map(([key, value]): readonly [Eval, Eval] => [key.eval, value.eval]);
  const badKey = new Failure('a map key is text, a whole number or a bool');
  const twice = new Failure('a map has the same key twice');
  return {
    ...mapShape(built),
    eval(scope) {
      const map = new Map<string | bigint | boolean | CelUint, CelInput>();
      // A uint is an object, and the same key as the int.
      let numbers: Set<bigint> | null = null;
      for (const [keyOf, valueOf] of entries) {
        const key = keyOf(scope);
        if (key instanceof Failure) return key;
        const value = valueOf(scope);
        if (value instanceof Failure) return value;
        if (isCelUint(key)) {
          numbers ??= new Set([...map.keys()].filter((one) => typeof one === 'bigint'));
          if (numbers.has(key.value)) return twice;
        } else if (typeof key !== 'string' && typeof key !== 'bigint' && typeof key !== 'boolean') return badKey;
        else if (map.has(key) || (typeof key === 'bigint' && numbers?.has(key) === true)) return twice;
        if (isCelUint(key)) numbers?.add(key.value);
        else if (typeof key === 'bigint') numbers?.add(key);
        map.set(key, value);
      }
      return celMap(map);
    },
  };
}

/** With literal keys, each value's own shape is known. */
function mapShape(entries: readonly (readonly [Compiled, Compiled])[]): Shape {
  if (entries.length === 0) return { type: 'map' };
  const key = union(entries.map(([one]) => one));
  const item = union(entries.map(([, one]) => one));
  const fields: Record<string, Shape> = {};
  for (const [name, value] of entries) {
    const text = name.constant?.value;
    if (typeof text !== 'string') return { type: 'map', key, item };
    Object.defineProperty(fields, text, { value: shapeOf(value), enumerable: true });
  }
  return { type: 'map', key, item, fields };
}
