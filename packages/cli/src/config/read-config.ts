import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { ConfigProblem } from './config-problem.ts';
import { endpointOf, tunnelOf, type Definition, type EndpointEntry, type TunnelEntry } from './definitions.ts';
import type { Kind, Reading } from './kinds.ts';
import { isAuthorityWord } from './paths.ts';
import { version2, version3 } from './schema.ts';

type Read<K> = K extends Kind<infer T> ? T : never;
/** Keys of `agent:` in version 3, of one file or of all of them. */
export type AgentSettings = NonNullable<Read<typeof version3>['agent']>;

export interface AgentConfig {
  readonly files: readonly string[];
  readonly settings: AgentSettings;
  readonly endpoints: ReadonlyMap<string, Definition>;
}

/** More is no configuration that a person wrote. */
const MOST_BYTES = 1024 * 1024;

/**
 * Files from left to right (agent-and-ux.md §1.3): of a key that several have the last counts, lists are replaced,
 * endpoints are merged by name.
 * @throws ConfigProblem with file, line and column of everything that is wrong
 */
export async function readConfig(files: readonly string[]): Promise<AgentConfig> {
  let settings: AgentSettings = {};
  const endpoints = new Map<string, Definition>();
  for (const file of files) {
    const content = readText(file, await textOf(file));
    const folder = path.dirname(file);
    settings = { ...settings, ...placed(content.settings, folder) };
    inFile(file, () => {
      for (const [name, entry] of content.tunnels) endpoints.set(name, tunnelOf(name, entry, folder));
      for (const entry of content.endpoints) {
        const definition = endpointOf(entry, folder);
        endpoints.set(definition.options.name, definition);
      }
    });
  }
  return { files, settings, endpoints };
}

export interface FileContent {
  readonly version: '2' | '3';
  readonly settings: AgentSettings;
  readonly tunnels: ReadonlyMap<string, TunnelEntry>;
  readonly endpoints: readonly EndpointEntry[];
}

/** One file's text. @throws ConfigProblem */
export function readText(file: string, text: string): FileContent {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'core', version: '1.2', logLevel: 'silent', lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const broken = document.errors.map(({ pos, message }) => `${at(pos[0])}: ${message.split('\n', 1)[0] ?? ''}`);
  if (broken.length > 0) throw new ConfigProblem(broken);
  const root: Node | null = document.contents;
  const version = versionOf(document);
  if (root === null) throw new ConfigProblem([`${file}:1:1: the file is empty; it begins with "version: 3"`]);
  if (version !== '2' && version !== '3') {
    const words =
      version === '' ? 'the first key must be "version: 3"' : `version ${version} is not known; it is 3 or 2`;
    throw new ConfigProblem([`${file}:1:1: ${words}`]);
  }
  const reading: Reading = { document, troubles: [] };
  const content = version === '2' ? ofVersion2(root, reading) : ofVersion3(root, reading);
  const troubles = reading.troubles.map(({ offset, message }) => `${at(offset)}: ${message}`);
  if (content === null || troubles.length > 0) {
    const onlyUnknown = reading.troubles.every(({ isUnknownKey }) => isUnknownKey);
    throw new ConfigProblem(troubles, onlyUnknown ? reading.troubles : []);
  }
  const names = content.endpoints.map(({ name }) => name);
  const twice = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigProblem([`${file}: the endpoint ${twice} is there twice`]);
  return content;
}

/** Agents before version 3 wrote no version; what has keys of version 3 has to say so. '' = it does not. */
export function versionOf(document: Document): string {
  const written: unknown = document.get('version');
  if (typeof written === 'string') return written;
  if (written !== undefined && written !== null) return JSON.stringify(written);
  return document.has('agent') || document.has('endpoints') ? '' : '2';
}

function ofVersion3(root: Node, reading: Reading): FileContent | null {
  const read = version3(root, [], reading);
  if (read === undefined) return null;
  return {
    version: '3',
    settings: read.agent ?? {},
    tunnels: read.tunnels ?? new Map(),
    endpoints: read.endpoints ?? [],
  };
}

/** Keys that have another name by now (`server_addr`, `root_cas`, the proxies). */
function ofVersion2(root: Node, reading: Reading): FileContent | null {
  const read = version2(root, [], reading);
  if (read === undefined) return null;
  const {
    version: _version,
    region: _region,
    root_cas,
    server_addr,
    http_proxy,
    socks5_proxy,
    tunnels,
    ...same
  } = read;
  const proxy = same.proxy_url ?? http_proxy ?? socks5_proxy;
  return {
    version: '2',
    settings: {
      ...same,
      ...(root_cas === undefined ? {} : { connect_cas: root_cas }),
      ...(server_addr === undefined ? {} : { connect_url: server_addr }),
      ...(proxy === undefined ? {} : { proxy_url: proxy }),
    },
    tunnels: tunnels ?? new Map(),
    endpoints: [],
  };
}

/** Files are named from where the configuration is. */
function placed(settings: AgentSettings, folder: string): AgentSettings {
  const { connect_cas: cas, api_cas: apiCas } = settings;
  const file = (text: string): string => (isAuthorityWord(text) ? text : path.resolve(folder, text));
  return {
    ...settings,
    ...(cas === undefined ? {} : { connect_cas: file(cas) }),
    ...(apiCas === undefined ? {} : { api_cas: file(apiCas) }),
  };
}

async function textOf(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read (${messageOf(cause)}).`, { cause });
  }
  if (text.length > MOST_BYTES) throw new UsageError(`${file} is larger than ${MOST_BYTES} bytes.`);
  return text;
}

function inFile(file: string, read: () => void): void {
  try {
    read();
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new ConfigProblem([`${file}: ${cause.message}`]);
  }
}
