import process from 'node:process';

/** What `postern http` and its siblings print. Lines and their words follow the v3 agent (agent-and-ux.md §1.6). */
export interface TunnelLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** The endpoint is there: the one line that every user and script waits for. */
  online(url: string, upstream: string, name: string): void;
  /** Not connected, again or still; `retryMs` until the next try. */
  offline(reason: string, retryMs: number): void;
  /** Connected again. */
  recovered(): void;
  /** Before the process ends; on stderr for people whatever the format. */
  fatal(message: string, code: string): void;
}

export type LogFormat = 'term' | 'logfmt' | 'json';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where it is written. */
export interface TunnelOutput {
  out(text: string): void;
  err(text: string): void;
  /** Whether `out` is a terminal. */
  readonly isTerminal: boolean;
  readonly now: () => number;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
/** Spellings of logfmt output that other programs read. */
const LOGFMT_LEVEL: Readonly<Record<LogLevel, string>> = { debug: 'dbug', info: 'info', warn: 'warn', error: 'eror' };

function inWords(message: string, details: string): string {
  return details === '' ? message : `${message} (${details})`;
}

/** `term`: a few plain lines for people, or `url=…` alone where nobody watches. `logfmt`, `json`: every event a line. */
export function createTunnelLog(format: LogFormat, least: LogLevel, output: TunnelOutput = standardStreams): TunnelLog {
  const line = (level: LogLevel, fields: object, message: string): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    const t = new Date(output.now()).toISOString();
    if (format === 'json') output.out(JSON.stringify(sorted({ ...fields, lvl: level, msg: message, t })));
    else if (format === 'logfmt') output.out(logfmt({ t, lvl: LOGFMT_LEVEL[level], msg: message, ...fields }));
    // For people the routine is silent; what went wrong is not.
    else if (level === 'warn' || level === 'error') output.err(inWords(message, logfmt(fields)));
  };
  return {
    debug: (fields, message) => line('debug', fields, message),
    info: (fields, message) => line('info', fields, message),
    warn: (fields, message) => line('warn', fields, message),
    online(url, upstream, name) {
      if (format !== 'term') line('info', { obj: 'tunnels', name, addr: upstream, url }, 'started tunnel');
      else if (output.isTerminal) output.out(`\nForwarding  ${url} -> ${upstream}\n\nCtrl+C stops.\n`);
      else output.out(`url=${url}`);
    },
    offline(reason, retryMs) {
      const seconds = Math.max(0.1, retryMs / 1000).toFixed(1);
      if (format === 'term') output.err(`Not connected: ${reason}. Trying again in ${seconds} s.`);
      else line('warn', { obj: 'csess', err: reason, retry_ms: retryMs }, 'session closed, starting reconnect loop');
    },
    recovered() {
      if (format === 'term') output.err('Connected again.');
    },
    fatal(message, code) {
      if (format !== 'term')
        line('error', { obj: 'tunnels', err: message, ...(code === '' ? {} : { code }) }, 'failed');
      const lines = [...message.split('\n'), ...(code === '' ? [] : ['', code])];
      for (const text of lines) output.err(`ERROR:  ${text}`.trimEnd());
    },
  };
}

const standardStreams: TunnelOutput = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  get isTerminal() {
    return process.stdout.isTTY;
  },
  now: Date.now,
};

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function logfmt(record: object): string {
  return Object.entries<unknown>({ ...record })
    .map(([key, value]) => `${key}=${plain(value)}`)
    .join(' ');
}

/** Quoted when it would not read as one word. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text === '' || /[\s"=\p{Cc}]/u.test(text) ? JSON.stringify(text) : text;
}
