import { referenceOf, RESOURCES } from '@postern/resources';

const HEAD = `# API reference

Every resource that the REST API serves, with its calls and fields. What holds for all of them (errors, lists, filters,
limits) is in [api.md](api.md); \`GET /openapi.json\` of a running server is the same as an OpenAPI 3.1 document.

This page is written by \`node scripts/node24.mjs scripts/api-reference.ts\` from \`packages/resources\`.

`;

export function renderApiReference(): string {
  return HEAD + referenceOf(RESOURCES);
}
