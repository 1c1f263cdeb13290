/** Variables that have many values. */
import { type Field, fieldsOf, namesOf, NO_FIELDS } from './field.ts';
import type { CollectionName } from './names.ts';
import type { Source } from './source.ts';

type Collect = (source: Source, name: CollectionName) => readonly Field[];

const none: Collect = () => NO_FIELDS;
const written: Collect = (source, name) => source.stored(name);

function files(source: Source, of: (file: { name: string; content: string }) => string): [string, string][] {
  return source.request.multipart.files.map((file) => [file.field, of(file)]);
}

const args: Collect = ({ request }, name) => [...fieldsOf(name, request.query), ...fieldsOf(name, request.post)];
const argNames: Collect = ({ request }, name) => [...namesOf(name, request.query), ...namesOf(name, request.post)];
const fileNames: Collect = (source, name) =>
  fieldsOf(
    name,
    files(source, (file) => file.name),
  );
const fileFields: Collect = (source, name) =>
  namesOf(
    name,
    files(source, (file) => file.name),
  );

export const COLLECT: Readonly<Record<CollectionName, Collect>> = {
  ARGS: args,
  ARGS_GET: ({ request }, name) => fieldsOf(name, request.query),
  ARGS_GET_NAMES: ({ request }, name) => namesOf(name, request.query),
  ARGS_NAMES: argNames,
  ARGS_POST: ({ request }, name) => fieldsOf(name, request.post),
  ARGS_POST_NAMES: ({ request }, name) => namesOf(name, request.post),
  FILES: fileNames,
  FILES_NAMES: fileFields,
  FILES_SIZES: (source, name) =>
    fieldsOf(
      name,
      files(source, ({ content }) => String(content.length)),
    ),
  FILES_TMP_CONTENT: (source, name) =>
    fieldsOf(
      name,
      files(source, ({ content }) => content),
    ),
  // Nothing is written to files, and where addresses are is asked by expressions.
  FILES_TMPNAMES: none,
  GEO: none,
  GLOBAL: written,
  IP: written,
  MATCHED_VARS: ({ matched }) => matched.map(({ name, value }) => ({ name, key: name.toLowerCase(), value })),
  MATCHED_VARS_NAMES: ({ matched }) => matched.map(({ name }) => ({ name, key: name.toLowerCase(), value: name })),
  MULTIPART_FILENAME: fileNames,
  MULTIPART_NAME: fileFields,
  MULTIPART_PART_HEADERS: ({ request }, name) => fieldsOf(name, request.multipart.headers),
  REQUEST_COOKIES: ({ request }, name) => fieldsOf(name, request.cookies),
  REQUEST_COOKIES_NAMES: ({ request }, name) => namesOf(name, request.cookies),
  REQUEST_HEADERS: ({ request }, name) => fieldsOf(name, request.message.headers),
  REQUEST_HEADERS_NAMES: ({ request }, name) => namesOf(name, request.message.headers),
  RESOURCE: written,
  RESPONSE_HEADERS: ({ response }, name) => fieldsOf(name, response?.headers ?? []),
  RESPONSE_HEADERS_NAMES: ({ response }, name) => namesOf(name, response?.headers ?? []),
  RULE: ({ rule }, name) =>
    rule === null
      ? NO_FIELDS
      : fieldsOf(name, [
          ['id', String(rule.id)],
          ['severity', rule.severity],
        ]),
  SESSION: written,
  TX: written,
  USER: written,
  XML: ({ request }) => [
    ...request.xml.texts.map((value) => ({ name: 'XML:/*', key: '/*', value })),
    ...request.xml.attributes.map((value) => ({ name: 'XML://@*', key: '//@*', value })),
  ],
};
