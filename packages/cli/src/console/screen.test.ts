import { expect, test } from 'vitest';
import { screen, type ScreenModel } from './screen.ts';

const REQUEST = { start: '2026-02-07T17:50:32.921Z', method: 'GET', path: '/new', status: 200 };
const MODEL: ScreenModel = {
  state: 'online',
  reason: '',
  account: 'Ada',
  version: '1.2.3',
  server: 'tunnel.test:4443, of the configuration',
  region: 'us',
  latency: 11.4,
  web: 'http://127.0.0.1:4040',
  forwarding: [{ url: 'https://a.test', addr: 'http://localhost:3000' }],
  notes: [],
  connections: { count: 8, gauge: 2, rate1: 0.214, rate5: 0.2, p50: 1.5e9, p90: 3.8e9 },
  requests: [REQUEST, { start: '2026-02-07T17:50:31.000Z', method: 'POST', path: '/old', status: 0 }],
};
const lines = (changes: Partial<ScreenModel> = {}, columns = 80, rows = 40): string[] =>
  screen({ ...MODEL, ...changes }, columns, rows, false).split('\n');

test('shows who, where, how much, and the newest requests', () => {
  const shown = lines();
  expect(shown[0]).toMatch(/^postern {57}\(Ctrl\+C to quit\)$/);
  for (const line of [
    'Session Status                online',
    'Account                       Ada',
    'Latency                       11ms',
    'Web Interface                 http://127.0.0.1:4040',
    'Forwarding                    https://a.test -> http://localhost:3000',
    'Connections                   ttl     opn     rt1     rt5     p50     p90     ',
    '                              8       2       0.21    0.20    1.50    3.80    ',
  ])
    expect(shown).toContain(line);
  expect(shown.at(-2)).toMatch(/^\d\d:\d\d:32\.921 [+-]\d\d(\d\d)? GET \/new {2}200$/);
  expect(shown.at(-1)).toMatch(/ POST \/old {2}$/);
});

test('why it is not online, and what happened', () => {
  const shown = lines({ state: 'reconnecting', reason: 'gone', latency: undefined, notes: ['careful'] });
  expect(shown).toContain('Session Status                reconnecting (gone)');
  expect(shown).toContain('Latency                       -');
  expect(shown).toContain('careful');
});

test('no URL is broken or cut, however narrow the terminal', () => {
  const url = `https://${'a'.repeat(40)}.test`;
  for (const columns of [20, 40, 60, 80, 120]) {
    const shown = lines({ forwarding: [{ url, addr: 'http://localhost:3000' }] }, columns);
    expect(shown.some((line) => line.includes(url))).toBe(true);
    for (const line of shown)
      if (!line.includes(url) && !line.startsWith('Web') && !line.startsWith('Version'))
        expect(line.length).toBeLessThanOrEqual(Math.max(columns, 48));
  }
});

test('is no higher than the terminal where there are requests', () => {
  const many = Array.from({ length: 50 }, (_, at) => ({ ...REQUEST, path: `/${at}` }));
  for (const rows of [18, 24, 60]) expect(lines({ requests: many }, 80, rows).length).toBeLessThanOrEqual(rows);
});

test('says when an address leads nowhere else', () => {
  const here = '(on this machine only)';
  const shownOf = (url: string): string => lines({ forwarding: [{ url, addr: '' }] }).join('\n');
  for (const url of ['https://a.postern.localhost:8443', 'tcp://localhost:20001']) expect(shownOf(url)).toContain(here);
  for (const url of ['https://a.test', 'https://localhost.test', 'tcp://h:1']) expect(shownOf(url)).not.toContain(here);
});

test('what visitors and servers say moves no cursor', () => {
  const evil = '\u001B[2Jx\r\n\u0007\u202E';
  const shown = screen(
    {
      ...MODEL,
      account: evil,
      notes: [evil],
      reason: evil,
      requests: [{ ...REQUEST, path: `/${evil}`, method: evil }],
    },
    200,
    40,
    false,
  );
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
