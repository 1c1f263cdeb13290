/** Bodies and answers as JSON Schema (2020-12, which OpenAPI 3.1 uses as it is). */
import type { Field, Fields } from '../model/field.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

const STRING: JsonSchema = { type: 'string' };
const REF: JsonSchema = {
  type: 'object',
  required: ['id', 'uri'],
  properties: { id: STRING, uri: { type: 'string', description: 'Absolute; empty for a human user.' } },
};

/** What a create or update call takes. */
export function bodySchema(fields: Fields, call: 'create' | 'update'): JsonSchema {
  const taken = Object.entries(fields).filter(([, field]) => takes(field, call));
  const required = taken.filter(([, field]) => isRequired(field, call)).map(([name]) => name);
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(taken.map(([name, field]) => [name, input(field, call)])),
  };
}

/** What an answer shows. */
export function answerSchema(fields: Fields): JsonSchema {
  const shown = Object.entries(fields).filter(([, { options }]) => options.out !== 'never');
  return {
    type: 'object',
    required: shown.filter(([, { options }]) => options.out !== 'left-out').map(([name]) => name),
    properties: Object.fromEntries(shown.map(([name, field]) => [name, output(field)])),
  };
}

export function takes(field: Field, call: 'create' | 'update'): boolean {
  return field.options.in === call || field.options.in === 'both';
}

function isRequired({ options }: Field, call: 'create' | 'update'): boolean {
  return options.required === true || (call === 'create' && options.needed !== undefined);
}

function input(field: Field, call: 'create' | 'update'): JsonSchema {
  const { kind, doc, options } = field;
  if (kind === 'unserved') return { description: `${doc} Not served: only an empty value is taken.` };
  if (kind === 'object') return { ...bodySchema(options.of ?? {}, call), description: doc };
  const bound = options.most === undefined ? '' : ` At most ${options.most.bytes} bytes.`;
  return { ...valueSchema(field), description: doc + bound };
}

function output(field: Field): JsonSchema {
  const { doc, options } = field;
  const schema = valueSchema(field);
  if (options.out === 'null') return { anyOf: [schema, { type: 'null' }], description: doc };
  return { ...schema, description: doc };
}

function valueSchema({ kind, options }: Field): JsonSchema {
  return SCHEMAS[kind](options.of ?? {});
}

/** By kind, from the fields of a group. */
const SCHEMAS: Readonly<Record<Field['kind'], (of: Fields) => JsonSchema>> = {
  text: () => STRING,
  id: () => STRING,
  uri: () => ({ type: 'string', format: 'uri' }),
  time: () => ({ type: 'string', format: 'date-time' }),
  integer: () => ({ type: 'integer' }),
  flag: () => ({ type: 'boolean' }),
  texts: () => ({ type: 'array', items: STRING }),
  labels: () => ({ type: 'object', additionalProperties: STRING }),
  ref: () => REF,
  owner: () => REF,
  refs: () => ({ type: 'array', items: REF }),
  object: (of) => answerSchema(of),
  objects: (of) => ({ type: 'array', items: answerSchema(of) }),
  unserved: () => ({ type: 'null' }),
};
