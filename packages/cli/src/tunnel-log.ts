import process from 'node:process';

/** What `postern http` and its siblings print. Lines and their words follow the v3 agent (agent-and-ux.md §1.6). */
export interface TunnelLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** The endpoint is there: the one line that every user and script waits for. */
  online(url: string, upstream: string, name: string): void;
  /** On stderr, for people, before the process ends. */
  fatal(error: Error & { readonly code?: string }): void;
}

type Level = 'debug' | 'info' | 'warn' | 'error';
const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error'];
/** Spellings of logfmt output that other programs read. */
const LOGFMT_LEVEL: Readonly<Record<Level, string>> = { debug: 'dbug', info: 'info', warn: 'warn', error: 'eror' };

export function createTunnelLog(format: 'term' | 'logfmt' | 'json', least: Level): TunnelLog {
  const line = (level: Level, fields: object, message: string): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    const record: Record<string, unknown> = { ...fields, lvl: level, msg: message, t: new Date().toISOString() };
    if (format === 'json') return print(`${JSON.stringify(sorted(record))}`);
    if (format === 'logfmt')
      return print(logfmt({ t: record['t'], lvl: LOGFMT_LEVEL[level], msg: message, ...fields }));
    // On a terminal the routine is silent; what went wrong is not.
    if (level === 'warn' || level === 'error') process.stderr.write(`${message}${details(fields)}\n`);
  };
  return {
    debug: (fields, message) => line('debug', fields, message),
    info: (fields, message) => line('info', fields, message),
    warn: (fields, message) => line('warn', fields, message),
    online(url, upstream, name) {
      if (format !== 'term') return line('info', { obj: 'tunnels', name, addr: upstream, url }, 'started tunnel');
      if (process.stdout.isTTY !== true) return print(`url=${url}`);
      print(`\nForwarding  ${url} -> ${upstream}\n\nCtrl+C stops.\n`);
    },
    fatal(error) {
      const code = error.code !== undefined && error.code !== '' ? `\nERROR:  ${error.code}` : '';
      process.stderr.write(`ERROR:  ${error.message.split('\n').join('\nERROR:  ')}${code}\n`);
    },
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function logfmt(record: object): string {
  return Object.entries(record)
    .map(([key, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${key}=${/[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text}`;
    })
    .join(' ');
}

function details(fields: object): string {
  const text = logfmt(fields);
  return text === '' ? '' : ` (${text})`;
}
