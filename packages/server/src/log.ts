import process from 'node:process';
import pino from 'pino';

export type Logger = pino.Logger;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where lines go; `colour` = a terminal that shows colours. */
export interface LogOutput {
  write(line: string): void;
  readonly colour: boolean;
}

const LEVEL_NAMES: Readonly<Record<string, string>> = { debug: 'debug', info: 'info ', warn: 'warn ', error: 'ERROR' };
const COLOURS: Readonly<Record<string, string>> = { debug: '\u001B[2m', warn: '\u001B[33m', error: '\u001B[31m' };
const RESET = '\u001B[0m';

/**
 * The server's log: one JSON object per line, or lines for people on a terminal. Written to stderr, so that stdout
 * carries what was asked for (links, `--help`). Subsystems are child loggers with `sub`.
 */
export function createLogger(
  options: { readonly format: 'pretty' | 'json'; readonly level: LogLevel },
  output: LogOutput = standardError,
): Logger {
  const pretty = options.format === 'pretty';
  return pino(
    {
      level: options.level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => output.write(pretty ? prettyLine(line, output.colour) : line) },
  );
}

const standardError: LogOutput = {
  write: (line) => void process.stderr.write(line),
  get colour() {
    return process.stderr.isTTY && process.env['NO_COLOR'] === undefined;
  },
};

/** From a JSON line: the level, the local time, the subsystem, the words, then the rest as key=value. */
function prettyLine(line: string, colour: boolean): string {
  const { level, time, sub, msg, err, ...rest } = Object.fromEntries(Object.entries<unknown>(JSON.parse(line)));
  const start = typeof level === 'string' ? COLOURS[level] : undefined;
  const name = typeof level === 'string' ? (LEVEL_NAMES[level] ?? level) : '';
  const head = `${clockOf(time)} ${name} ${typeof sub === 'string' ? `${sub}: ` : ''}${typeof msg === 'string' ? msg : ''}`;
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${written(value)}`);
  const text = `${head}${fields.join('')}${stackOf(err)}`;
  return colour && start !== undefined ? `${start}${text}${RESET}\n` : `${text}\n`;
}

/** Quoted unless it is plain: what visitors send must not draw on the operator's terminal. */
function written(value: unknown): string {
  return typeof value === 'string' && /^[\u0021-\u007E]+$/.test(value) ? value : JSON.stringify(value);
}

function clockOf(time: unknown): string {
  return typeof time === 'string' ? new Date(time).toTimeString().slice(0, 8) : '';
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = { stack: '', message: '', ...error };
  return `\n${stack === '' ? message : stack}`;
}
