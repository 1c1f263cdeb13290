/** Flags of every command that runs the agent, and of those that read its configuration. */
import type { LogFormat, LogLevel } from '../tunnel-log.ts';
import { listOf, textOf, type Flag, type FlagValues } from './flag.ts';

export const CONFIG_FLAG: Flag = {
  name: 'config',
  value: 'files',
  many: 'commas',
  help: 'configuration of the agent, several are merged [POSTERN_AGENT_CONFIG]',
};

export const LOG_FLAGS: readonly Flag[] = [
  { name: 'log', value: 'where', help: 'where every event goes as a line: stdout, stderr, false, or a file' },
  {
    name: 'log-format',
    value: 'format',
    choices: ['term', 'logfmt', 'json'],
    help: 'term: a few lines for people (logfmt where they are logged); the others log to stdout',
  },
  {
    name: 'log-level',
    value: 'level',
    choices: ['debug', 'info', 'warn', 'error', 'crit'],
    help: 'least severe line (default: info)',
  },
];

export const SERVER_FLAGS: readonly Flag[] = [
  { name: 'authtoken', value: 'token', help: 'authtoken (default: the one stored for the server) [POSTERN_AUTHTOKEN]' },
  {
    name: 'connect-url',
    value: 'host:port',
    many: 'commas',
    help:
      'server to connect to (default: of the configuration, else the newest local one); of several addresses the next is ' +
      'dialled when one fails [POSTERN_CONNECT_URL]',
  },
  {
    name: 'connect-cas',
    value: 'file',
    help: 'authority (PEM file) of the server, or "host" for those of the system [POSTERN_CONNECT_CAS]',
  },
  {
    name: 'proxy-url',
    value: 'url',
    help:
      'http://, https:// or socks5://user:password@host:port on the way to the server; false for none (default: of the ' +
      'configuration, else HTTPS_PROXY, ALL_PROXY and NO_PROXY)',
  },
];

export const AGENT_FLAGS: readonly Flag[] = [
  ...SERVER_FLAGS,
  {
    name: 'sessions',
    value: 'number',
    help: 'connections kept to the server, to different addresses where there are: 1 to 4 (default: 1)',
  },
  {
    name: 'web-addr',
    value: 'host:port',
    help: 'local API and pages (default: 127.0.0.1:4040, the next port when it is taken); false for none',
  },
  CONFIG_FLAG,
  ...LOG_FLAGS,
];

/** Of the other agent; they mean nothing here. */
export const IDLE_AGENT_FLAGS: readonly (Flag & { readonly today: string })[] = [
  { name: 'region', value: 'name', help: '', today: '--connect-url: a server has no regions to choose from' },
];

export interface AgentFlags {
  readonly authtoken?: string;
  readonly connectUrls?: readonly string[];
  readonly connectCas?: string;
  /** A URL, or `false`. */
  readonly proxyUrl?: string;
  readonly sessions?: number;
  /** `host:port`, or `false`. */
  readonly webAddr?: string;
  readonly config?: readonly string[];
  readonly log?: string;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
}

export function agentFlags(values: FlagValues): AgentFlags {
  const level = textOf(values, 'log-level');
  const format = textOf(values, 'log-format');
  const [authtoken, connectCas, proxyUrl, sessions, webAddr, log] = [
    'authtoken',
    'connect-cas',
    'proxy-url',
    'sessions',
    'web-addr',
    'log',
  ].map((name) => textOf(values, name));
  const connectUrls = listOf(values, 'connect-url');
  const config = listOf(values, 'config');
  return {
    ...(authtoken === undefined ? {} : { authtoken }),
    ...(connectUrls === undefined ? {} : { connectUrls }),
    ...(connectCas === undefined ? {} : { connectCas }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(sessions === undefined ? {} : { sessions: Number(sessions) }),
    ...(webAddr === undefined ? {} : { webAddr }),
    ...(config === undefined ? {} : { config }),
    ...(log === undefined ? {} : { log }),
    ...(format === 'term' || format === 'logfmt' || format === 'json' ? { logFormat: format } : {}),
    ...(level === undefined ? {} : { logLevel: levelOf(level) }),
  };
}

/** Words of flags and of configuration files; what is not known logs as usual. */
export function levelOf(word: string): LogLevel {
  switch (word) {
    case 'debug':
    case 'dbug':
    case 'trace':
      return 'debug';
    case 'warn':
      return 'warn';
    case 'error':
    case 'eror':
    case 'crit':
      return 'error';
    default:
      return 'info';
  }
}
