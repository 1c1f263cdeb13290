/**
 * What the REST API serves, once: each resource is a definition, and bodies, answers, filters, documents and types
 * derive from it. Runs in a browser; imports types alone.
 */
export { apiKeys } from './api-keys.ts';
export { BACKEND_FIELDS, tunnelGroupBackends } from './backends.ts';
export { credentials } from './credentials.ts';
export { filterFieldsOf, type FilterFields, type FilterKind } from './derive/filter.ts';
export { answerSchema, bodySchema, takes } from './derive/json-schema.ts';
export { openApiOf } from './derive/openapi.ts';
export { referenceOf } from './derive/reference.ts';
export { edgeRoutes, httpsEdges, OTHER_MODULES, tcpEdges, tlsEdges } from './edges.ts';
export { endpoints } from './endpoints.ts';
export { eachPlain, PLAIN, plainAt, RESOURCES, type PlainName, type PlainRows } from './list.ts';
export type { Field, Fields, Kind, Link } from './model/field.ts';
export { camelName, type CamelName } from './model/names.ts';
export type { CreateOf, Resource, UpdateOf, Verb, ViewOfResource } from './model/resource.ts';
export {
  columnsOf,
  EMPTY,
  fieldColumns,
  indexesOf,
  viewName,
  type ColumnKind,
  type Columns,
  type FieldColumn,
  type PlainResource,
  type RowFor,
  type RowHead,
} from './model/row.ts';
export type { InputOf, ViewOf } from './model/types.ts';
export { managedCertificates } from './managed-certificates.ts';
export { reservedAddrs } from './reserved-addrs.ts';
export { reservedDomains } from './reserved-domains.ts';
export { tunnelSessions } from './tunnel-sessions.ts';
export { tunnels } from './tunnels.ts';
export { botUsers, serviceUsers } from './users.ts';
