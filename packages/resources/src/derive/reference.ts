/** The reference page of the API, in Markdown: resources with their calls and fields. */
import type { Field } from '../model/field.ts';
import type { Resource } from '../model/resource.ts';
import { filterFieldsOf } from './filter.ts';

const KIND_NAMES: Readonly<Record<Field['kind'], string>> = {
  text: 'text',
  id: 'id',
  time: 'time',
  integer: 'integer',
  flag: 'true or false',
  texts: 'list of texts',
  labels: 'object of texts',
  ref: '{id, uri}',
  refs: 'list of {id, uri}',
  owner: '{id, uri}',
  uri: 'absolute address',
  object: 'object',
  objects: 'list of objects',
  unserved: '–',
};
const CALLS = { create: 'create', update: 'update', both: 'create, update' } as const;
const SHOWN = { kept: 'always', 'left-out': 'unless empty', null: 'null when unset', never: '–' } as const;

export function referenceOf(resources: readonly Resource[]): string {
  return resources.map(sectionOf).join('\n');
}

function sectionOf(resource: Resource): string {
  const { path, doc, verbs, actions, deprecated, fields } = resource;
  const below = Object.values(fields).flatMap(({ options: { link, to } }) =>
    link?.listed === undefined ? [] : `\`GET ${to}/{id}/${link.listed}\``,
  );
  const calls = [...verbs, ...below, ...(actions ?? []).map(({ name }) => `\`POST …/{id}/${name}\``)].join(', ');
  const filter = filterFieldsOf(resource) === null ? 'no' : 'by every field below that has ✓';
  return [
    `## \`${path}\``,
    '',
    doc + (deprecated === true ? ' Legacy.' : ''),
    '',
    `Calls: ${calls}. Ids begin with \`${resource.idPrefixes[0]}_\`. Rows of a list: ${listOf(resource)}. Filter: ${filter}.`,
    '',
    '| field | kind | taken by | shown | filter | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(fields).map(([name, field]) => rowOf(name, field, resource)),
    '',
  ].join('\n');
}

function listOf({ listKey }: Resource): string {
  return listKey === null ? 'there is no list' : `\`${listKey}\``;
}

function rowOf(name: string, { kind, doc, options }: Field, resource: Resource): string {
  const taken = options.in === undefined ? '–' : CALLS[options.in];
  const shown = kind === 'unserved' && options.out === undefined ? 'null' : SHOWN[options.out ?? 'kept'];
  const mark = filterFieldsOf(resource)?.kinds[name] === undefined ? '' : '✓';
  const bound =
    options.most === undefined ? '' : ` At most ${options.most.bytes} bytes (ERR_NGROK_${options.most.error}).`;
  const needed = options.needed === undefined ? '' : ` Needed (ERR_NGROK_${options.needed}).`;
  const refused = kind === 'unserved' && options.in !== undefined ? ' A value is refused.' : '';
  return `| \`${name}\` | ${KIND_NAMES[kind]} | ${taken} | ${shown} | ${mark} | ${doc}${needed}${bound}${refused} |`;
}
