/**
 * Values of expressions. They are the CEL library's own (int = bigint, double = number, lists and maps behind its
 * interfaces), so that a value may cross to its evaluator and back without conversion.
 */
import { fail, type ErrorNumber, type ErrorParams, type PosternError } from '@postern/errors';
import {
  celList,
  celMap,
  isCelList,
  isCelMap,
  isCelUint,
  type CelInput,
  type CelList,
  type CelValue,
} from '@bufbuild/cel';
import { isReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { durationFromMs, DurationSchema, timestampFromMs, TimestampSchema } from '@bufbuild/protobuf/wkt';

export type Value = CelValue;

/**
 * An error of evaluation. It is a value that && and || may absorb (the other side decides), and it is made once per
 * place in an expression wherever that is possible.
 */
export class Failure {
  readonly message: string;
  /** Something looked up was not there (a header, a key, an item). Interpolation fills such a hole with "". */
  readonly absent: boolean;

  constructor(message: string, absent = false) {
    this.message = message;
    this.absent = absent;
  }
}

/**
 * A failure that ends the request (or the connection) with an error of the table, instead of passing the rule over:
 * what cannot be judged is not let through. Sound inside && and ||: where the other side decides, nothing was missed.
 */
export class Fatal extends Failure {
  readonly number: ErrorNumber;
  readonly params: ErrorParams;

  constructor(number: ErrorNumber, params: ErrorParams) {
    const error = fail(number, params);
    super(error.message);
    this.number = number;
    this.params = params;
  }

  toError(): PosternError {
    return fail(this.number, this.params);
  }
}

export type Result = Value | Failure;

/** What the compiler knows about a value before anything runs. */
export type StaticType =
  | 'dyn'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'type'
  | 'list'
  | 'map';

/** The kind of a value that exists. */
export function kindOf(value: Value): StaticType {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      break;
  }
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'bytes';
  if (isCelList(value)) return 'list';
  if (isCelMap(value)) return 'map';
  if (isCelUint(value)) return 'uint';
  if (isReflectMessage(value)) {
    if (value.desc.typeName === 'google.protobuf.Timestamp') return 'timestamp';
    if (value.desc.typeName === 'google.protobuf.Duration') return 'duration';
  }
  return 'type';
}

/** Whether a value of static type `type` could be one of `wanted`. */
export function mayBe(type: StaticType, wanted: StaticType): boolean {
  return type === 'dyn' || wanted === 'dyn' || type === wanted;
}

export function isA(value: Value, wanted: StaticType): boolean {
  return wanted === 'dyn' || kindOf(value) === wanted;
}

export const EMPTY_LIST: CelList = celList([]);

export function listOfStrings(items: readonly string[]): CelList {
  return items.length === 0 ? EMPTY_LIST : celList(items);
}

/** Unix milliseconds → CEL timestamp. */
export function timestamp(ms: number): Value {
  return reflect(TimestampSchema, timestampFromMs(ms));
}

export function duration(ms: number): Value {
  return reflect(DurationSchema, durationFromMs(ms));
}

/** Plain JSON-like value → CEL. Whole numbers become ints, as in set-vars and json.decode of integers. */
export function fromPlain(value: unknown): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return celList(value.map(fromPlain));
  if (value instanceof Uint8Array || isCelList(value) || isCelMap(value) || isCelUint(value)) return value;
  if (isReflectMessage(value)) return value;
  return celMap(new Map<string, CelInput>(Object.entries(value).map(([key, item]) => [key, fromPlain(item)])));
}
