/** Definitions that programs give to the local API: the keys of files, as JSON. */
import process from 'node:process';
import { parseDocument, type Node } from 'yaml';
import { UsageError } from '../usage-error.ts';
import { type Definition, endpointOf, tunnelOf } from './definitions.ts';
import type { Kind, Reading } from './kinds.ts';
import { endpointDefinition, tunnelDefinition } from './schema.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * A tunnel of a version 2 file with its `name`. What npm's `ngrok` 4 sends of the agent's own options is passed over: the
 * agent has them already.
 * @throws UsageError
 */
export function tunnelFromJson(json: Json): Definition {
  const { authtoken: _token, region: _region, configPath: _path, ...own } = json;
  const entry = read(tunnelDefinition, own);
  if (entry.name === undefined || entry.name === '') throw new UsageError('The tunnel has no name.');
  return tunnelOf(entry.name, entry, process.cwd());
}

/** An endpoint of a version 3 file. @throws UsageError */
export function endpointFromJson(json: Json): Definition {
  return endpointOf(read(endpointDefinition, json), process.cwd());
}

function read<T>(kind: Kind<T>, json: Json): T {
  // JSON is YAML: the same reader tells the same troubles. What is null is not given.
  const given = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
  const document = parseDocument(JSON.stringify(given), { schema: 'core', version: '1.2', logLevel: 'silent' });
  const reading: Reading = { document, troubles: [] };
  const root: Node | null = document.contents;
  const value = root === null ? undefined : kind(root, [], reading);
  if (value === undefined || reading.troubles.length > 0)
    throw new UsageError(reading.troubles.map(({ message }) => message).join('; ') || 'It cannot be read.');
  return value;
}
