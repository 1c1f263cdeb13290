import { fail } from '@postern/errors';
import { takes, type Field, type Fields } from '@postern/resources';
import { z } from 'zod';
import { fields as ruleOf, type BodyRule, type JsonObject } from '../pipeline/body.ts';
import { camelised } from '../wire/names.ts';

/**
 * The rule for the bodies of a create or update call, made of a resource's fields: wire names in, camelCase out.
 * Unknown fields are 214, wrong kinds 215, fields that are not served 90076 and modules of edges 90021.
 * @typeParam Body what the fields mean: `CreateOf` or `UpdateOf` of the same resource
 */
export function bodyRuleOf<Body>(fields: Fields, call: 'create' | 'update'): BodyRule<Body> {
  const taken = Object.entries(fields).filter(([, field]) => takes(field, call));
  const rule = ruleOf(
    shapeOf(
      taken.filter(([, { kind }]) => kind !== 'unserved'),
      call,
    ),
  );
  const unserved = taken.filter(([, { kind }]) => kind === 'unserved');
  return {
    read(input) {
      const served = withoutUnserved(input, unserved);
      // oxlint-disable-next-line no-unsafe-type-assertion -- an empty body is one of any update
      if (call === 'update' && served !== input && Object.keys(served).length === 0) return NOTHING_ASKED as Body;
      // The shape was made of the same fields as the type.
      // oxlint-disable-next-line no-unsafe-type-assertion
      return rule.read(served) as Body;
    },
  };
}

/** The body of an update that named only what is not there, and nothing of that: it changes nothing, and is no mistake. */
export const NOTHING_ASKED: object = Object.freeze({});

type Named = readonly [name: string, field: Field];

function shapeOf(taken: readonly Named[], call: 'create' | 'update'): z.ZodRawShape {
  return Object.fromEntries(
    taken.map(([name, field]) => {
      const schema = schemaOf(field, call);
      const { required, preset } = field.options;
      if (required === true) return [name, schema];
      return [name, preset === undefined ? schema.optional() : schema.default(preset)];
    }),
  );
}

function schemaOf({ kind, options }: Field, call: 'create' | 'update'): z.ZodType {
  switch (kind) {
    case 'integer':
      return z.int();
    case 'flag':
      return z.boolean();
    case 'texts':
      return z.array(z.string());
    case 'labels':
      return z.record(z.string(), z.string());
    case 'object': {
      const members = Object.entries(options.of ?? {}).filter(([, field]) => takes(field, call));
      return z.strictObject(shapeOf(members, call)).transform((value) => camelised(value));
    }
    default:
      return z.string();
  }
}

/** Clients send every field that they hold: an empty value of what is not there yet is no request for it. */
function withoutUnserved(input: JsonObject, unserved: readonly Named[]): JsonObject {
  const asked = unserved.filter(([name]) => Object.hasOwn(input, name));
  if (asked.length === 0) return input;
  for (const [name, { options }] of asked) {
    const value = input[name];
    if (isEmpty(value)) continue;
    if (options.because === undefined) throw fail(90021, { module: name });
    if (!isBare(value)) throw fail(90076, { field: name, reason: options.because });
  }
  return Object.fromEntries(Object.entries(input).filter(([name]) => !asked.some(([known]) => known === name)));
}

function isEmpty(value: unknown): boolean {
  if (value === '' || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && !isBare(value) && Object.values(value).every(isEmpty);
}

/** `{}`: of a module of an edge it means "with its defaults", of anything else nothing. */
function isBare(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
