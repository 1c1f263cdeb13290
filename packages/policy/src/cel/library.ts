/**
 * The CEL library's evaluator, for what our own compiler does not do itself: conversions, times, formatting, unsigned
 * arithmetic. One plan per operation and process; the operands are bound by name.
 */
import { celEnv, isCelError, parse, plan, type CelInput, type CelType } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { Failure, type Result, type StaticType, type Value } from './value.ts';

const env = celEnv({ funcs: strings });
const OPERANDS = ['a', 'b', 'c', 'd'] as const;

export type Operation = (...operands: Value[]) => Result;

const cache = new Map<string, Operation>();

/** `source` is CEL over the operands a, b, c, d: `a + b`, `a.substring(b, c)`. */
export function libraryOperation(source: string): Operation {
  const known = cache.get(source);
  if (known !== undefined) return known;
  // Planned when it is first needed: most operations of the language never are.
  let run: ReturnType<typeof plan> | null = null;
  const operation: Operation = (...operands) => {
    run ??= plan(env, parse(source).expr);
    const bindings: Record<string, CelInput> = {};
    for (const [index, operand] of operands.entries()) bindings[OPERANDS[index] ?? ''] = operand;
    const result = run(bindings);
    if (!isCelError(result)) return result;
    // The library's words may quote a text, and texts of requests are secrets that must not reach a log.
    const quotes = operands.some((operand) => typeof operand === 'string' || operand instanceof Uint8Array);
    return new Failure(quotes ? `${source} has no value for this text` : result.message);
  };
  cache.set(source, operation);
  return operation;
}

export interface LibraryFunction {
  readonly name: string;
  readonly style: 'method' | 'global';
  /** The receiver first. */
  readonly args: readonly StaticType[];
  readonly result: StaticType;
  readonly operation: () => Operation;
}

/** Every named function of the library (operators are not), as rows of our own function table. */
export function libraryFunctions(): LibraryFunction[] {
  const rows: LibraryFunction[] = [];
  for (const group of env.funcs) {
    const name = group.name;
    if (!/^[a-z]/i.test(name)) continue;
    const style = group.target === undefined ? 'global' : 'method';
    const args = [...(group.target === undefined ? [] : [group.target]), ...group.arguments].map(staticType);
    if (args.length > OPERANDS.length) continue;
    const names = OPERANDS.slice(0, args.length);
    const source =
      style === 'global' ? `${name}(${names.join(', ')})` : `${names[0]}.${name}(${names.slice(1).join(', ')})`;
    rows.push({ name, style, args, result: staticType(group.result), operation: () => libraryOperation(source) });
  }
  return rows;
}

function staticType(type: CelType): StaticType {
  switch (type.kind) {
    case 'list':
      return 'list';
    case 'map':
      return 'map';
    case 'object':
      if (type.name === 'google.protobuf.Timestamp') return 'timestamp';
      return type.name === 'google.protobuf.Duration' ? 'duration' : 'dyn';
    case 'scalar':
      break;
  }
  switch (type.scalar) {
    case 'null_type':
      return 'null';
    default:
      return type.scalar;
  }
}
