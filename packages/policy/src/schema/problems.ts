/** What zod found wrong with an action's config → the published error, its path first. Browser-safe. */
import { fail, type PosternError } from '@postern/errors';
import type * as z from 'zod/mini';
import type { Problem } from './fields.ts';
import { meant } from './nearest.ts';
import { printable } from './printable.ts';

type Issue = z.core.$ZodIssue;

/** Everything that is wrong with `config`. */
export function configProblems(schema: z.ZodMiniType, config: unknown, path: string): PosternError[] {
  const result = schema.safeParse(config, { reportInput: true });
  return result.success ? [] : result.error.issues.map((issue) => configProblem(issue, path, schema));
}

/** Reads `config` by `schema`. @throws PosternError naming `path` + the field. */
export function readConfig<T extends z.ZodMiniType>(schema: T, config: unknown, path: string): z.infer<T> {
  const result = schema.safeParse(config, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw fail(2203, { path, reason: 'the config does not parse' });
  throw configProblem(issue, path, schema);
}

function configProblem(issue: Issue, base: string, schema: z.ZodMiniType): PosternError {
  const path = fieldPath(base, issue.path);
  switch (issue.code) {
    case 'invalid_type':
      return missing(issue)
        ? fail(2234, { path: fieldPath(base, issue.path.slice(0, -1)), field: String(issue.path.at(-1) ?? 'config') })
        : fail(2204, { path, reason: `${describe(issue.expected)} is needed` });
    case 'unrecognized_keys':
      return fail(2203, {
        path: fieldPath(path, issue.keys.slice(0, 1)),
        reason: noField(issue.keys[0] ?? '', fieldsAt(schema, issue.path)),
      });
    case 'invalid_value':
      return fail(2222, { path, value: brief(issue.input), allowed: issue.values.map(String).join(', ') });
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array' || issue.origin === 'map' || issue.origin === 'set') {
        return size(issue.input) === 0
          ? fail(2223, { path })
          : fail(2237, { path, length: size(issue.input), min: Number(issue.minimum) });
      }
      return fail(2204, { path, reason: 'the value is too small' });
    case 'too_big':
      if (issue.origin === 'array') return fail(2218, { path, count: size(issue.input), max: Number(issue.maximum) });
      if (issue.origin === 'string') return fail(2221, { path, length: size(issue.input), max: Number(issue.maximum) });
      return fail(2204, { path, reason: 'the value is too large' });
    case 'custom':
      return isProblem(issue.params?.['problem'])
        ? fail(issue.params['problem'].number, { path, ...issue.params['problem'].facts })
        : fail(2204, { path, reason: issue.message });
    default:
      return fail(2203, { path, reason: 'the value does not fit' });
  }
}

function noField(name: string, fields: readonly string[]): string {
  if (fields.length === 0) return 'there is no such field';
  const near = meant(name, fields);
  return near === '' ? `there is no such field. The fields are ${fields.join(', ')}` : `there is no such field${near}`;
}

/** What the object at `path` may have; [] when that cannot be told. */
function fieldsAt(schema: z.ZodMiniType, path: readonly PropertyKey[]): readonly string[] {
  let at: Definition | undefined = definitionOf(schema);
  const rest = [...path];
  for (let steps = 0; at !== undefined && steps < 100; steps++) {
    if (at.innerType !== undefined) at = definitionOf(at.innerType);
    else if (at.out !== undefined) at = definitionOf(at.out);
    else if (rest.length === 0) return Object.keys(at.shape ?? {});
    else {
      const key = String(rest.shift());
      at = definitionOf(at.shape?.[key] ?? at.element ?? at.valueType);
    }
  }
  return [];
}

/** The parts of a schema's definition that lead further in. */
interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
  readonly out?: unknown;
}

function definitionOf(schema: unknown): Definition | undefined {
  if (typeof schema !== 'object' || schema === null || !('def' in schema)) return undefined;
  const { def } = schema;
  return typeof def === 'object' && def !== null ? def : undefined;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'number' in value && 'facts' in value;
}

function missing(issue: Issue): boolean {
  return issue.input === undefined && issue.path.length > 0;
}

function describe(expected: string): string {
  if (expected === 'int' || expected === 'number') return 'a whole number';
  if (expected === 'boolean') return 'true or false';
  if (expected === 'array') return 'a list';
  if (expected === 'record' || expected === 'object') return 'a map';
  return expected === 'string' ? 'text' : expected;
}

export function fieldPath(base: string, path: readonly PropertyKey[]): string {
  let text = base;
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `.${printable(String(part))}`;
  return text;
}

function size(input: unknown): number {
  if (typeof input === 'string' || Array.isArray(input)) return input.length;
  return typeof input === 'object' && input !== null ? Object.keys(input).length : 0;
}

function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return printable(text);
}
