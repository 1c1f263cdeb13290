/** What the console shows, as lines of text: nothing here knows a terminal. */
import { styleText } from 'node:util';

export interface RequestLine {
  /** RFC 3339. */
  readonly start: string;
  readonly method: string;
  readonly path: string;
  /** 0 = no answer yet. */
  readonly status: number;
}

export interface Rates {
  readonly count: number;
  readonly gauge: number;
  readonly rate1: number;
  readonly rate5: number;
  /** Nanoseconds. */
  readonly p50: number;
  readonly p90: number;
}

export interface ScreenModel {
  readonly state: 'connecting' | 'online' | 'reconnecting';
  /** Why it is not online. */
  readonly reason: string;
  readonly account: string;
  readonly version: string;
  readonly server: string;
  readonly region: string;
  /** Milliseconds. */
  readonly latency: number | undefined;
  /** '' = there is none. */
  readonly web: string;
  readonly forwarding: readonly { readonly url: string; readonly addr: string }[];
  /** What happened, newest last. */
  readonly notes: readonly string[];
  readonly connections: Rates;
  /** Newest first. */
  readonly requests: readonly RequestLine[];
}

const LABEL = 30;
const MOST_REQUESTS = 10;
type Colour = 'cyan' | 'green' | 'red' | 'yellow';

/**
 * The screen of a terminal with so many columns and rows. A URL is never broken: where it does not fit beside its label, it
 * has a line of its own, and where it fits no line, the terminal wraps it.
 */
export function screen(model: ScreenModel, columns: number, rows: number, colours: boolean): string {
  const paint = (colour: Colour, text: string): string =>
    colours ? styleText(colour, text, { validateStream: false }) : text;
  const line = (label: string, value: string): string => `${label.padEnd(LABEL)}${value}`;
  const state = {
    connecting: paint('cyan', 'connecting'),
    online: paint('green', 'online'),
    reconnecting: paint('red', 'reconnecting'),
  }[model.state];
  const title = 'postern';
  const hint = '(Ctrl+C to quit)';
  const head = [
    `${title}${' '.repeat(Math.max(1, columns - title.length - hint.length))}${hint}`,
    '',
    ...model.notes.map((note) => paint('yellow', cut(plain(note), columns))),
    ...(model.notes.length > 0 ? [''] : []),
    line('Session Status', cutAfter(state, model.reason === '' ? '' : ` (${plain(model.reason)})`, columns - LABEL)),
    ...(model.account === '' ? [] : [line('Account', cut(plain(model.account), columns - LABEL))]),
    line('Version', model.version),
    line('Server', cut(plain(model.server), columns - LABEL)),
    ...(model.region === '' ? [] : [line('Region', plain(model.region))]),
    line('Latency', model.latency === undefined ? '-' : `${Math.round(model.latency)}ms`),
    ...(model.web === '' ? [] : [line('Web Interface', model.web)]),
    ...model.forwarding.flatMap(({ url, addr }) => forwarding(plain(url), plain(addr), columns)),
    ...(model.forwarding.some(({ url }) => isLocal(url))
      ? [line('', cut('(on this machine only)', columns - LABEL))]
      : []),
    '',
    cut(
      line('Connections', ['ttl', 'opn', 'rt1', 'rt5', 'p50', 'p90'].map((name) => name.padEnd(8)).join('')),
      columns,
    ),
    cut(line('', numbers(model.connections)), columns),
  ];
  const room = Math.min(MOST_REQUESTS, rows - head.length - 4);
  if (room < 1 || model.requests.length === 0) return head.join('\n');
  const log = model.requests.slice(0, room).map((request) => {
    const shown = `${time(request.start)} ${plain(request.method)} `;
    const status = request.status === 0 ? '' : String(request.status);
    const path = cut(plain(request.path), Math.max(10, columns - shown.length - status.length - 2));
    return `${shown}${path}  ${paintStatus(request.status, status, paint)}`;
  });
  return [...head, '', 'HTTP Requests', '-------------', '', ...log].join('\n');
}

function forwarding(url: string, addr: string, columns: number): string[] {
  const label = 'Forwarding'.padEnd(LABEL);
  if (LABEL + url.length + 4 + addr.length <= columns) return [`${label}${url} -> ${addr}`];
  const to = cut(`  -> ${addr}`, columns);
  return LABEL + url.length <= columns ? [`${label}${url}`, to] : ['Forwarding', url, to];
}

/** Names under localhost, and localhost itself, lead to this machine from everywhere. */
function isLocal(url: string): boolean {
  return /^[a-z]+:\/\/(?:[^/:]*\.)?localhost(?:[:/]|$)/.test(url);
}

function numbers({ count, gauge, rate1, rate5, p50, p90 }: Rates): string {
  const seconds = (nanoseconds: number): string => (nanoseconds / 1e9).toFixed(2);
  return [String(count), String(gauge), rate1.toFixed(2), rate5.toFixed(2), seconds(p50), seconds(p90)]
    .map((text) => text.padEnd(8))
    .join('');
}

function paintStatus(status: number, text: string, paint: (colour: Colour, text: string) => string): string {
  if (status >= 500) return paint('red', text);
  if (status >= 400) return paint('yellow', text);
  return status >= 300 ? paint('cyan', text) : text;
}

/** `17:50:32.921 -05` */
function time(start: string): string {
  const date = new Date(start);
  if (Number.isNaN(date.getTime())) return start.slice(0, 32);
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const zone = `${minutes < 0 ? '-' : '+'}${two(hours)}${rest === 0 ? '' : two(rest)}`;
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')} ${zone}`;
}

/** Visitors and servers choose these texts; what moves cursors or hides text stays out of the terminal. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function cutAfter(painted: string, text: string, columns: number): string {
  return `${painted}${cut(text, Math.max(0, columns - 'reconnecting'.length))}`;
}
