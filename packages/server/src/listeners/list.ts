/**
 * Every listener of the server, once. Configuration, sockets that a service manager gives, opening, what serves it, the
 * stop, `runtime.json` and metrics follow this list: another listener is an entry here and its setting.
 */
import type { Service } from '@postern/edge';
import type { SettingKey } from '../config/options.ts';

interface Entry {
  /** Where it listens. */
  readonly setting: SettingKey;
  /** What a service manager may call its socket (LISTEN_FDNAMES). */
  readonly sockets: readonly string[];
  /** What takes its connections: a service of the edge, or a server of HTTP calls in this process. */
  readonly serves: Service | 'calls';
  /** Its field of `runtime.json`, and what stands before host and port there. */
  readonly runtime: string;
  readonly prefix: '' | 'http://';
  /** The listener that those come to as well, who are meant for this one; so it may have its addresses, or none. */
  readonly within: string | null;
  /** At a stop it is open until the next server comes: it says that this one is stopping. */
  readonly stays: boolean;
}

const PLAIN = { prefix: '', within: null, stays: false } as const;

/**
 * They are opened from the end, those of the edge first and before the rest is even loaded: official agents that lost
 * their server try again after 0, 50 ms, 2.5 s and then 125 s (agent-protocol.md §0.5), so a restart should answer their
 * third attempt.
 */
export const LISTENERS = {
  http: { ...PLAIN, setting: 'http_listen', sockets: ['http'], serves: 'http', runtime: 'http_addr' },
  https: { ...PLAIN, setting: 'https_listen', sockets: ['https'], serves: 'tls', runtime: 'https_addr' },
  agents: {
    ...PLAIN,
    setting: 'agent_listen',
    sockets: ['agent', 'agents'],
    serves: 'agents',
    runtime: 'agent_addr',
    within: 'https',
  },
  api: { ...PLAIN, setting: 'api_listen', sockets: ['api'], serves: 'calls', runtime: 'api_url', prefix: 'http://' },
  metrics: {
    ...PLAIN,
    setting: 'metrics_listen',
    sockets: ['metrics'],
    serves: 'calls',
    runtime: 'metrics_url',
    prefix: 'http://',
    stays: true,
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type ListenerName = keyof typeof LISTENERS;
/** Its fields of `runtime.json`. */
export type RuntimeField = (typeof LISTENERS)[ListenerName]['runtime'];

export interface NamedListener extends Entry {
  readonly name: ListenerName;
  readonly runtime: RuntimeField;
  readonly within: ListenerName | null;
}

export const listeners: readonly NamedListener[] = names(LISTENERS).map((name) => ({ name, ...LISTENERS[name] }));

/** What `runtime.json` says of each. */
export function runtimeFields(whereabouts: (name: ListenerName) => string): Readonly<Record<RuntimeField, string>> {
  const fields = listeners.map(({ name, runtime }) => [runtime, whereabouts(name)] as const);
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.fromEntries(fields) as Record<RuntimeField, string>;
}

/** One value for each listener. */
export function forListeners<T>(valueOf: (listener: NamedListener) => T): Readonly<Record<ListenerName, T>> {
  const entries = listeners.map((listener) => [listener.name, valueOf(listener)] as const);
  // The names are those of the list, each once.
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.fromEntries(entries) as Record<ListenerName, T>;
}

function names<const Name extends string>(list: Readonly<Record<Name, Entry>>): readonly Name[] {
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.keys(list) as Name[];
}
