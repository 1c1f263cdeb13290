/** The tests that the CEL project publishes for its implementations (cel-spec), taken apart for our compiler. */
import { celList, celMap, celUint, type CelInput, type CelUint } from '@bufbuild/cel';
import type { Value as TestValue } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { reflect } from '@bufbuild/protobuf/reflect';
import { anyUnpack, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { compileExpression } from '../cel/compile.ts';
import { CelProblem } from '../cel/failures.ts';
import { libraryOperation } from '../cel/library.ts';
import { equal } from '../cel/operations.ts';
import type { Scope } from '../cel/scope.ts';
import { DYN } from '../cel/shapes.ts';
import { Failure, kindOf, type Result, type Value } from '../cel/value.ts';

type Original = IncrementalTestSuite['tests'][number]['original'];

export interface ConformanceTest {
  /** e.g. `lists/index/zero_based_int`. */
  readonly name: string;
  readonly expression: string;
  readonly container: string;
  /** null: something in it is of a type that policies do not have (a protobuf message). */
  readonly bindings: ReadonlyMap<string, Value> | null;
  readonly expected: { readonly value: Value } | 'error' | null;
}

export function conformanceTests(): ConformanceTest[] {
  return getConformanceSuite().suites.flatMap((suite) => testsOf(suite, suite.name));
}

function testsOf(suite: IncrementalTestSuite, path: string): ConformanceTest[] {
  const inner = suite.suites.flatMap((one) => testsOf(one, `${path}/${one.name}`));
  return [
    ...inner,
    ...suite.tests.map(({ original, name }) => ({
      name: `${path}/${name}`,
      expression: original.expr,
      container: original.container,
      bindings: bindingsOf(original),
      expected: expectedOf(original),
    })),
  ];
}

function expectedOf({ resultMatcher: wanted }: Original): ConformanceTest['expected'] {
  switch (wanted.case) {
    case 'evalError':
    case 'anyEvalErrors':
      return 'error';
    case 'value':
      return known(wanted.value);
    case 'typedResult':
      return wanted.value.result === undefined ? null : known(wanted.value.result);
    case undefined:
      return { value: true };
    default:
      return null;
  }
}

function bindingsOf({ bindings }: Original): ReadonlyMap<string, Value> | null {
  const map = new Map<string, Value>();
  for (const [name, { kind }] of Object.entries(bindings)) {
    const value = kind.case === 'value' ? known(kind.value) : null;
    if (value === null) return null;
    map.set(name, value.value);
  }
  return map;
}

/** A value of a type that policies do not have. */
class Foreign extends Error {}

function known(value: TestValue): { readonly value: Value } | null {
  try {
    return { value: valueOf(value) };
  } catch (error) {
    if (error instanceof Foreign) return null;
    throw error;
  }
}

const TYPES: ReadonlySet<string> = new Set(
  'bool int uint double string bytes list map null_type type google.protobuf.Timestamp google.protobuf.Duration'.split(
    ' ',
  ),
);

function valueOf(value: TestValue | undefined): Value {
  const kind = value?.kind;
  switch (kind?.case) {
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'nullValue':
      return null;
    case 'uint64Value':
      return celUint(kind.value);
    case 'listValue':
      return celList(kind.value.values.map(valueOf));
    case 'mapValue':
      return celMap(new Map(kind.value.entries.map((entry) => [keyOf(entry.key), valueOf(entry.value) as CelInput])));
    case 'typeValue': {
      const type = TYPES.has(kind.value) ? libraryOperation(kind.value)() : new Failure('');
      if (!(type instanceof Failure)) return type;
      break;
    }
    case 'objectValue': {
      const time = anyUnpack(kind.value, TimestampSchema);
      if (time !== undefined) return reflect(TimestampSchema, time);
      const duration = anyUnpack(kind.value, DurationSchema);
      if (duration !== undefined) return reflect(DurationSchema, duration);
      break;
    }
    default:
  }
  throw new Foreign();
}

function keyOf(key: TestValue | undefined): string | bigint | boolean | CelUint {
  const kind = key?.kind;
  if (kind?.case === 'stringValue' || kind?.case === 'int64Value' || kind?.case === 'boolValue') return kind.value;
  if (kind?.case === 'uint64Value') return celUint(kind.value);
  throw new Foreign();
}

/** What our compiler makes of it; a refusal when it is compiled is a failure. */
export function evaluate({ expression, bindings }: ConformanceTest, scope: Scope): Result {
  try {
    const compiled = compileExpression(expression, {
      phase: 'on_http_request',
      usesResult: () => {},
      variables: new Map([...(bindings ?? [])].map(([name]) => [name, DYN])),
    });
    for (const [slot, value] of [...(bindings ?? new Map<string, Value>()).values()].entries())
      scope.locals[slot] = value;
    return compiled.eval(scope);
  } catch (error) {
    if (error instanceof CelProblem) return new Failure(`refused: ${error.message}`);
    throw error;
  }
}

/** 'the same', or in words what is different. */
export function difference(result: Result, wanted: Result, scope: Scope): string {
  if (wanted instanceof Failure) return result instanceof Failure ? 'the same' : `gave ${kindOf(result)}`;
  if (result instanceof Failure) return result.message;
  if (kindOf(result) !== kindOf(wanted)) return `gave ${kindOf(result)} in place of ${kindOf(wanted)}`;
  if (Number.isNaN(result) && Number.isNaN(wanted)) return 'the same';
  return equal(result, wanted, scope) ? 'the same' : `gave another ${kindOf(result)}`;
}
