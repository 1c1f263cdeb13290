/** The OpenAPI 3.1 document of everything that the API serves. */
import type { Resource, Verb } from '../model/resource.ts';
import { answerSchema, bodySchema, type JsonSchema } from './json-schema.ts';

type Entry = { readonly [name: string]: unknown };

const METHODS: Readonly<Record<Verb, 'get' | 'post' | 'patch' | 'delete'>> = {
  list: 'get',
  get: 'get',
  create: 'post',
  update: 'patch',
  delete: 'delete',
};
const JSON_TYPE = 'application/json';

/** @param server the absolute address of the API; @param version of the server */
export function openApiOf(resources: readonly Resource[], server: string, version: string): Entry {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas: Record<string, JsonSchema> = { Error: ERROR_SCHEMA };
  for (const resource of resources) {
    schemas[schemaName(resource)] = answerSchema(resource.fields);
    for (const verb of resource.verbs) {
      const path = verb === 'list' || verb === 'create' ? resource.path : `${resource.path}/{id}`;
      (paths[path] ??= {})[METHODS[verb]] = operationOf(resource, verb);
    }
    for (const { path, operation } of listsBelow(resource)) paths[path] = { get: operation };
    for (const { name, doc, answers } of resource.actions ?? []) {
      paths[`${resource.path}/{id}/${name}`] = {
        post: {
          ...headOf(resource, `${name}_${resource.name}`, doc),
          parameters: parametersOf(resource, true),
          responses: {
            ...(answers === true
              ? successOf(resource, 'get', { $ref: `#/components/schemas/${schemaName(resource)}` })
              : { '204': { description: 'Done.' } }),
            default: ERROR_RESPONSE,
          },
        },
      };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern API',
      version,
      description: "Compatible with ngrok's public API; not affiliated.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    security: [{ bearer: [] }],
    tags: resources.map(({ name, doc }) => ({ name, description: doc })),
    paths,
    components: { schemas, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  };
}

function operationOf(resource: Resource, verb: Verb): Entry {
  const { name, title, fields } = resource;
  const one = verb !== 'list' && verb !== 'create';
  const answer = { $ref: `#/components/schemas/${schemaName(resource)}` };
  const body = verb === 'create' || verb === 'update' ? bodySchema(fields, verb) : null;
  return {
    ...headOf(resource, `${verb}_${name}`, SUMMARIES[verb](title)),
    parameters: [...parametersOf(resource, one), ...(verb === 'list' ? pagingOf(resource) : [])],
    ...(body === null ? {} : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body } } } }),
    responses: { ...successOf(resource, verb, answer), default: ERROR_RESPONSE },
  };
}

/** Lists of the rows that refer to one of another resource. */
function listsBelow(resource: Resource): { readonly path: string; readonly operation: Entry }[] {
  return Object.values(resource.fields).flatMap(({ options: { link, to = '' } }) => {
    if (link?.listed === undefined) return [];
    const { name, title } = resource;
    const answer = pageSchema(resource, { $ref: `#/components/schemas/${schemaName(resource)}` });
    const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
    const operation = {
      ...headOf(resource, `list_${name}_of_${to.slice(1)}`, `Lists every ${title} of one, newest first.`),
      parameters: [VERSION_HEADER, id, ...pagingOf({ ...resource, filter: null })],
      responses: {
        '200': { description: 'As asked.', content: { [JSON_TYPE]: { schema: answer } } },
        default: ERROR_RESPONSE,
      },
    };
    return [{ path: `${to}/{id}/${link.listed}`, operation }];
  });
}

const SUMMARIES: Readonly<Record<Verb, (title: string) => string>> = {
  list: (title) => `Lists every ${title}, newest first.`,
  get: (title) => `Gets one ${title}.`,
  create: (title) => `Creates a ${title}.`,
  update: (title) => `Changes a ${title}; what is left out stays.`,
  delete: (title) => `Deletes a ${title}.`,
};

function successOf(resource: Resource, verb: Verb, answer: JsonSchema): Entry {
  if (verb === 'delete') return { '204': { description: 'Deleted.' } };
  if (verb === 'create') return { '201': { description: 'Created.', content: { [JSON_TYPE]: { schema: answer } } } };
  const schema = verb === 'list' ? pageSchema(resource, answer) : answer;
  return { '200': { description: 'As asked.', content: { [JSON_TYPE]: { schema } } } };
}

function pageSchema({ listKey }: Resource, row: JsonSchema): JsonSchema {
  return {
    type: 'object',
    required: [listKey, 'uri', 'next_page_uri'],
    properties: {
      [listKey ?? 'rows']: { type: 'array', items: row },
      uri: { type: 'string', format: 'uri' },
      next_page_uri: { type: ['string', 'null'], description: 'Follow it until it is null.' },
    },
  };
}

function headOf({ name, deprecated }: Resource, operationId: string, summary: string): Entry {
  return { operationId, tags: [name], summary, ...(deprecated === true ? { deprecated } : {}) };
}

function parametersOf({ params, idPrefixes }: Resource, one: boolean): Entry[] {
  const names = Object.entries(params ?? {});
  if (one) names.push(['id', idPrefixes]);
  return [
    VERSION_HEADER,
    ...names.map(([name, prefixes]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', pattern: `^(${prefixes.join('|')})_[0-9A-Za-z]{27}$` },
    })),
  ];
}

function pagingOf({ filter, lists }: Resource): Entry[] {
  const queries: Entry[] = [
    query('limit', { type: 'integer', minimum: 1, maximum: 100, default: 100 }, 'Rows of a page.'),
    query('before_id', { type: 'string' }, 'The page begins behind this id, which need not exist any more.'),
  ];
  if (filter !== null) queries.push(query('filter', { type: 'string' }, 'A CEL expression over one row, `obj`.'));
  for (const [spelling] of Object.values(lists ?? {})) {
    if (spelling === undefined) continue;
    queries.push(query(spelling, { type: 'array', items: { type: 'string' } }, 'Only these; may be repeated.'));
  }
  return queries;
}

function query(name: string, schema: JsonSchema, description: string): Entry {
  return { name, in: 'query', required: false, schema, description };
}

/** `reserved_domains` → `ReservedDomains` */
function schemaName({ name }: Resource): string {
  return name
    .split('_')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
}

const VERSION_HEADER: Entry = {
  name: 'Ngrok-Version',
  in: 'header',
  required: true,
  schema: { type: 'string', const: '2' },
};
const ERROR_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['status_code', 'msg', 'details'],
  properties: {
    error_code: { type: 'string', description: 'Absent when a resource does not exist.' },
    status_code: { type: 'integer' },
    msg: { type: 'string' },
    details: { type: 'object', additionalProperties: { type: 'string' } },
  },
};
const ERROR_RESPONSE: Entry = {
  description: 'What was wrong, and what to do.',
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
};
