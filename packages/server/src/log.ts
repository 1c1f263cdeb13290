import process from 'node:process';
import pino from 'pino';

export type Logger = pino.Logger;

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'ERROR' };
const COLOURS: Readonly<Record<number, string>> = { 20: '\u001B[2m', 40: '\u001B[33m', 50: '\u001B[31m' };

/**
 * The server's log: one JSON object per line, or lines for people on a terminal. Written to stderr, so that stdout
 * carries what was asked for (links, `--help`). Subsystems are child loggers with `sub`.
 */
export function createLogger(options: { readonly format: 'pretty' | 'json'; readonly level: string }): Logger {
  const destination =
    options.format === 'json'
      ? process.stderr
      : { write: (line: string) => void process.stderr.write(prettyLine(line, process.stderr.isTTY === true)) };
  return pino(
    {
      level: options.level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      ...(options.format === 'pretty' ? { formatters: {}, timestamp: pino.stdTimeFunctions.epochTime } : {}),
    },
    destination,
  );
}

function prettyLine(line: string, colour: boolean): string {
  const { level, time, sub, msg, err, ...fields } = JSON.parse(line) as {
    level: number;
    time: number;
    sub?: string;
    msg?: string;
    err?: { stack?: string; message?: string };
  } & Record<string, unknown>;
  const clock = new Date(time).toTimeString().slice(0, 8);
  const extra = Object.entries(fields)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  const stack = err === undefined ? '' : `\n${err.stack ?? err.message ?? ''}`;
  const text = `${clock} ${LEVEL_NAMES[level] ?? level} ${sub === undefined ? '' : `${sub}: `}${msg ?? ''}${extra}${stack}`;
  const start = COLOURS[level];
  return colour && start !== undefined ? `${start}${text}\u001B[0m\n` : `${text}\n`;
}
