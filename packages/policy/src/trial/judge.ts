/** Whether a trial came to what a test expects. */
import type { HeaderLines } from './headers.ts';
import { HeaderList } from './headers.ts';
import type { Expectation } from './spec.ts';
import type { Trial } from './trial.ts';

/** One thing that is not as expected. */
export interface Miss {
  /** Field of `expect`, e.g. `headers.location`. */
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** @returns [] = all is as expected */
export function judge({ verdict, rules }: Trial, expect: Expectation): readonly Miss[] {
  const misses: Miss[] = [];
  const same = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== undefined && !equal(expected, got)) misses.push({ what, expected, got });
  };
  const among = (what: string, expected: Readonly<Record<string, unknown>> = {}, got: unknown): void => {
    for (const [name, value] of Object.entries(expected)) {
      const at = typeof got === 'object' && got !== null ? (Reflect.get(got, name) as unknown) : undefined;
      if (isMap(value)) among(`${what}.${name}`, value, at);
      else same(`${what}.${name}`, value, at ?? null);
    }
  };
  const headers = (what: string, expected: Expectation['headers'] = {}, lines: HeaderLines): void => {
    const list = new HeaderList(lines);
    for (const [name, values] of Object.entries(expected)) {
      const got = list.getAll(name);
      same(`${what}.${name}`, values, got.length === 0 ? null : got);
    }
  };

  const { kind, service } = verdict;
  same('closed', expect.closed, kind === 'closed');
  same('connected', expect.connected, kind === 'connected');
  same('status', expect.status, kind === 'answered' ? verdict.status : kind);
  same('error', expect.error === undefined ? undefined : codeOf(expect.error), verdict.error || 'none');
  headers('headers', expect.headers, verdict.headers);
  same('body', expect.body, verdict.body);
  const { body_contains: part } = expect;
  if (part !== undefined && !verdict.body.includes(part))
    misses.push({ what: 'body_contains', expected: part, got: verdict.body });
  same('forward', expect.forward, verdict.forward ?? 'none');
  if (expect.service?.none === true) {
    same('service', 'none', service === null ? 'none' : `${service.method} ${service.url}`);
  } else if (expect.service !== undefined) {
    const { method, url, headers: fields, body } = expect.service;
    if (service === null) misses.push({ what: 'service', expected: 'a request', got: 'none' });
    if (service !== null) {
      same('service.method', method, service.method);
      same('service.url', url, service.url);
      headers('service.headers', fields, service.headers);
      same('service.body', body, service.body);
    }
  }
  among('vars', expect.vars, verdict.vars);
  among('results', expect.results, verdict.results);
  same('logs', expect.logs, verdict.logs);
  const matched = rules.filter(({ state }) => state === 'matched').map(({ name, path }) => name || path);
  same('matched', expect.matched, matched);
  return misses;
}

function codeOf(written: string): string {
  return /^\d+$/.test(written) ? `ERR_NGROK_${written}` : written;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].every((name) => equal(a[name], b[name]));
  }
  return a === b;
}
