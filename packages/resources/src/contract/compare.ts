import { RESOURCES, takes, type Field, type Resource } from '../index.ts';

/** The part of the contract that definitions answer to. */
interface Contract {
  readonly resources: readonly ContractResource[];
}
interface ContractResource {
  readonly path: string;
  readonly list_key: string | null;
  /** null = none is published. */
  readonly id_prefix: string | null;
  readonly response_fields: readonly ContractField[];
  readonly operations: readonly ContractOperation[];
}
interface ContractOperation {
  readonly method: string;
  readonly path: string;
  readonly request_fields?: readonly ContractField[];
}
interface ContractField {
  readonly name: string;
  readonly type: string;
}

export interface Comparison {
  readonly compared: number;
  readonly fields: number;
  readonly differences: readonly string[];
}

/** Differences that are meant, by `path field` or `path call`, with the reason. */
const MEANT: Readonly<Record<string, string>> = {
  '/reserved_domains resolves_to': 'shown only where it is configured, which it cannot be here',
  '/managed_certificates is not published': 'of this server alone',
};
/** Path parameters that TypeScript clients repeat in bodies; the pipeline drops them for every resource. */
const REPEATED = ['id', 'edge_id'];

const KINDS: Readonly<Record<string, readonly Field['kind'][]>> = {
  string: ['text', 'id', 'time', 'uri'],
  integer: ['integer'],
  boolean: ['flag'],
  'list<string>': ['texts'],
  'map<string,string>': ['labels'],
  Ref: ['ref', 'owner'],
  'list<Ref>': ['refs'],
};

/** Every resource that is defined here and in the contract; what only one of both has is another table's matter. */
export function compareWithContract(contract: Contract): Comparison {
  const differences: string[] = [];
  let compared = 0;
  let fields = 0;
  for (const published of contract.resources) {
    const resource = RESOURCES.find(({ path }) => path === published.path);
    if (resource === undefined) continue;
    compared += 1;
    fields += published.response_fields.length;
    differences.push(...headDifferences(resource, published), ...answerDifferences(resource, published));
    for (const operation of published.operations) {
      fields += operation.request_fields?.length ?? 0;
      differences.push(...callDifferences(resource, operation));
    }
  }
  for (const { path } of RESOURCES) {
    if (!contract.resources.some((published) => published.path === path)) differences.push(`${path} is not published`);
  }
  return { compared, fields, differences: differences.filter((text) => MEANT[text.split(':')[0] ?? ''] === undefined) };
}

function headDifferences({ path, listKey, idPrefixes }: Resource, published: ContractResource): string[] {
  const found: string[] = [];
  if (listKey !== published.list_key) found.push(`${path}: rows of a list are ${published.list_key}, not ${listKey}`);
  const { id_prefix: prefix } = published;
  if (prefix !== null && !idPrefixes.includes(prefix)) found.push(`${path}: ids begin with ${prefix}`);
  return found;
}

function answerDifferences({ path, fields }: Resource, published: ContractResource): string[] {
  return published.response_fields.flatMap(({ name, type }) => {
    const field = fields[name];
    if (field === undefined || field.options.out === 'never') return [`${path} ${name}: answers lack it`];
    return fits(field, type) ? [] : [`${path} ${name}: ${type} is published, ${field.kind} is shown`];
  });
}

function callDifferences(
  resource: Resource,
  { method, path, request_fields: published = [] }: ContractOperation,
): string[] {
  const call = callOf(resource, method, path);
  if (call === null) return [];
  if (!resource.verbs.includes(call)) return [`${resource.path} ${call}: it is published and not served`];
  return published.flatMap(({ name, type }) => {
    if (REPEATED.includes(name)) return [];
    const field = resource.fields[name];
    if (field === undefined || !takes(field, call)) return [`${resource.path} ${name}: ${call} does not take it`];
    return fits(field, type) ? [] : [`${resource.path} ${name}: ${call} takes ${field.kind}, ${type} is published`];
  });
}

function callOf({ path }: Resource, method: string, where: string): 'create' | 'update' | null {
  if (method === 'POST' && where === path) return 'create';
  return method === 'PATCH' && where === `${path}/{id}` ? 'update' : null;
}

/** Kinds of a name of its own (modules, policies) are objects, or not served. */
function fits({ kind }: Field, type: string): boolean {
  return (KINDS[type] ?? ['object', 'objects']).includes(kind) || kind === 'unserved';
}
