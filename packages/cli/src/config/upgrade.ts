/** A configuration of version 2 as one of version 3 (agent-and-ux.md §1.3): what was renamed, moved, and has no place. */
import { isMap, isScalar, parseDocument, Pair, Scalar, YAMLMap, YAMLSeq, Document } from 'yaml';
import { ConfigProblem } from './config-problem.ts';
import { readText, versionOf } from './read-config.ts';

export interface Upgraded {
  readonly text: string;
  /** What could not be kept, and why. */
  readonly dropped: readonly string[];
  /** `server_addr → agent.connect_url` */
  readonly renamed: readonly string[];
}

const AGENT_KEYS: Readonly<Record<string, string>> = {
  root_cas: 'connect_cas',
  server_addr: 'connect_url',
  http_proxy: 'proxy_url',
  socks5_proxy: 'proxy_url',
};

const TUNNEL_KEYS: Readonly<Record<string, string>> = { auth: 'basic_auth', bind_tls: 'schemes', hostname: 'domain' };

const WITHOUT_PLACE: Readonly<Record<string, string>> = {
  region: 'a server has no regions to choose from',
};

/** @returns null when it is of version 3 already. @throws ConfigProblem */
export function upgraded(file: string, source: string): Upgraded | null {
  const document = parseDocument(source, { schema: 'core', version: '1.2', logLevel: 'silent' });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ConfigProblem([`${file}: ${broken.message.split('\n', 1)[0] ?? ''}`]);
  if (versionOf(document) === '3') return null;
  const root: unknown = document.contents;
  if (versionOf(document) !== '2' || !isMap(root))
    throw new ConfigProblem([`${file}: it is of no version that is known`]);
  const notes: { dropped: string[]; renamed: string[] } = { dropped: [], renamed: [] };
  const agent = new YAMLMap();
  const next = new YAMLMap();
  // The pair that was there has the comment at the head of the file.
  const version = root.items.find(({ key }) => nameOf(key) === 'version') ?? new Pair(new Scalar('version'));
  version.value = new Scalar(3);
  next.items.push(version);
  next.items.push(new Pair(new Scalar('agent'), agent));
  for (const pair of root.items) {
    const name = nameOf(pair.key);
    if (name === 'version') continue;
    if (name === 'tunnels') next.items.push(pair);
    else if (Object.hasOwn(WITHOUT_PLACE, name)) notes.dropped.push(`${name}: ${WITHOUT_PLACE[name] ?? ''}`);
    else moveTo(agent, name, pair, AGENT_KEYS, 'agent.', notes);
  }
  if (agent.items.length === 0) next.delete('agent');
  const tunnels = next.get('tunnels');
  if (isMap(tunnels)) for (const { key, value } of tunnels.items) if (isMap(value)) renameIn(value, nameOf(key), notes);
  next.commentBefore = root.commentBefore ?? null;
  const text = withoutUnknown(file, new Document(next), notes.dropped);
  return { text, ...notes };
}

type Notes = { readonly dropped: string[]; readonly renamed: string[] };

function moveTo(
  to: YAMLMap,
  name: string,
  pair: Pair,
  names: Readonly<Record<string, string>>,
  at: string,
  notes: Notes,
): void {
  const today = Object.hasOwn(names, name) ? (names[name] ?? name) : name;
  if (to.has(today)) {
    notes.dropped.push(`${name}: ${at}${today} is there already`);
    return;
  }
  if (today !== name) {
    notes.renamed.push(`${name} → ${at}${today}`);
    pair.key = new Scalar(today);
  }
  to.items.push(pair);
}

function renameIn(tunnel: YAMLMap, tunnelName: string, notes: Notes): void {
  for (const pair of tunnel.items.splice(0)) {
    const name = nameOf(pair.key);
    if (name === 'bind_tls') pair.value = schemesOf(isScalar(pair.value) ? String(pair.value.value) : '');
    moveTo(tunnel, name, pair, TUNNEL_KEYS, `tunnels.${tunnelName}.`, notes);
  }
}

function schemesOf(bindTls: string): YAMLSeq {
  const list = new YAMLSeq();
  list.flow = true;
  for (const word of bindTls === 'both' ? ['https', 'http'] : [bindTls === 'false' ? 'http' : 'https'])
    list.items.push(new Scalar(word));
  return list;
}

/** What version 3 does not know either is taken out and named; the backup still has it. */
function withoutUnknown(file: string, document: Document, dropped: string[]): string {
  for (;;) {
    const text = document.toString();
    try {
      readText(file, text);
      return text;
    } catch (error) {
      if (!(error instanceof ConfigProblem) || error.unknown.length === 0) throw error;
      for (const { path, message } of error.unknown) {
        dropped.push(`${path.join('.')}: ${message}`);
        document.deleteIn(path);
      }
    }
  }
}

const nameOf = (key: unknown): string => (isScalar(key) ? String(key.value) : '');
