/** Values of any shape with `${…}` in their texts, for every action that keeps kinds (traffic-policy.md §5). */
import { celList, celMap, type CelInput } from '@bufbuild/cel';
import { fail } from '@postern/errors';
import { TOO_MANY_STEPS } from '../cel/limits.ts';
import type { Eval, Scope } from '../cel/scope.ts';
import { Failure, fromPlain, type Result, type Value } from '../cel/value.ts';
import { spend } from '../cel/work.ts';
import type { Template } from '../interpolation/template.ts';
import { fieldPath } from '../schema/problems.ts';
import type { ActionEnv } from './action.ts';

const MAX_DEPTH = 32;
const INT64 = 2 ** 63;

export interface DeepValue {
  readonly get: Eval;
  /** Known already, whatever the request. */
  readonly constant?: { readonly value: Value };
}

/** @param field path of the value below the config, e.g. `.vars[0].a`. @throws PosternError 2204, 2224, 2250 */
export function deepValue(written: unknown, field: string, env: ActionEnv): DeepValue {
  return build(written, field, env, 0);
}

function build(written: unknown, field: string, env: ActionEnv, depth: number): DeepValue {
  if (depth > MAX_DEPTH) throw fail(2250, { path: `${env.path}${field}`, max: MAX_DEPTH });
  if (typeof written === 'string') return fromTemplate(env.template(written, field));
  if (Array.isArray(written)) {
    return listOf(written.map((item, index) => build(item, `${field}[${index}]`, env, depth + 1)));
  }
  if (typeof written === 'object' && written !== null) {
    return mapOf(
      Object.entries(written).map(([key, item]) => [key, build(item, fieldPath(field, [key]), env, depth + 1)]),
    );
  }
  if (isInexact(written)) {
    const reason = `whole numbers beyond ${Number.MAX_SAFE_INTEGER} lose digits; write it as \${…}`;
    throw fail(2204, { path: `${env.path}${field}`, reason });
  }
  return known(fromPlain(written));
}

/** A whole number that JSON and YAML have rounded already; what no int can hold is a double, and meant as one. */
function isInexact(value: unknown): boolean {
  return (
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < INT64
  );
}

function known(value: Value): DeepValue {
  return { get: () => value, constant: { value } };
}

function fromTemplate(template: Template): DeepValue {
  return template.text === null ? { get: (scope) => filled(template, scope) } : known(template.text);
}

/** What is missing is '' (§2.9), whether or not there is other text around it. */
function filled(template: Template, scope: Scope): Result {
  if (!spend(scope, 2)) return TOO_MANY_STEPS;
  const value = template.value(scope);
  if (scope.budget < 0) return TOO_MANY_STEPS;
  return value instanceof Failure && value.absent ? '' : value;
}

function listOf(items: readonly DeepValue[]): DeepValue {
  if (items.every((item) => item.constant !== undefined)) {
    return known(celList(items.map((item) => item.constant?.value ?? null)));
  }
  return {
    get(scope) {
      const values: CelInput[] = [];
      for (const item of items) {
        const value = item.get(scope);
        if (value instanceof Failure) return value;
        values.push(value);
      }
      return celList(values);
    },
  };
}

function mapOf(entries: readonly (readonly [string, DeepValue])[]): DeepValue {
  if (entries.every(([, item]) => item.constant !== undefined)) {
    return known(celMap(new Map(entries.map(([key, item]) => [key, item.constant?.value ?? null]))));
  }
  return {
    get(scope) {
      const map = new Map<string, CelInput>();
      for (const [key, item] of entries) {
        const value = item.get(scope);
        if (value instanceof Failure) return value;
        map.set(key, value);
      }
      return celMap(map);
    },
  };
}
