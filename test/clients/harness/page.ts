/** The table client × duty of docs/compatibility.md, made of the last results of each client (`results.json`). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CLIENTS } from './client.ts';
import type { Cell, Outcome } from './report.ts';

const RESULTS = path.join(CLIENTS, 'results.json');
const PAGE = path.join(CLIENTS, '..', '..', 'docs', 'compatibility.md');
const BEGIN = '<!-- clients: written by `npm run test:clients -- --write` -->';
const END = '<!-- clients end -->';

/** The first duty of every framework. */
export const REACHED = 'is reached';

/** By client, then by duty; `why` only where it cannot be asked. */
export type Results = Readonly<Record<string, Readonly<Record<string, { outcome: Outcome; why?: string }>>>>;

export function readResults(): Results {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
}

/** Results of these clients take the place of their older ones; a client that did not run keeps what it had. */
export async function writeResults(cells: readonly Cell[]): Promise<void> {
  const ran = cells.filter(({ outcome }) => outcome !== 'skipped' && outcome !== 'refused');
  const results: Record<string, Record<string, { outcome: Outcome; why?: string }>> = {};
  for (const [client, duties] of Object.entries(readResults()))
    if (!ran.some((cell) => cell.client === client)) results[client] = { ...duties };
  for (const { client, duty, outcome, why } of ran)
    (results[client] ??= {})[duty] = { outcome, ...(outcome === 'cannot' ? { why } : {}) };
  const sorted = Object.fromEntries(Object.entries(results).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  writeFileSync(RESULTS, `${JSON.stringify(sorted, null, 2)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), sorted));
}

/** The page with the table of these results in its place. */
export function withTable(page: string, results: Results): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/compatibility.md has no place for the table');
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables(results)}\n\n${page.slice(to)}`;
}

/** Clients that are asked the same duties share a table; frameworks, each with duties of its own, are a list. */
function tables(results: Results): string {
  const groups = new Map<string, string[]>();
  const frameworks: string[] = [];
  for (const [client, duties] of Object.entries(results)) {
    if (REACHED in duties) {
      const held = Object.entries(duties).map(([duty, { outcome }]) => `${outcome === 'passed' ? '✔' : '✘'} ${duty}`);
      frameworks.push(`- ${client}: ${held.join(', ')}`);
      continue;
    }
    const key = Object.keys(duties).join('|');
    groups.set(key, [...(groups.get(key) ?? []), client]);
  }
  return [...[...groups.values()].map((clients) => table(clients, results)), frameworks.join('\n')].join('\n\n');
}

function table(clients: readonly string[], results: Results): string {
  const notes: string[] = [];
  const cell = (client: string, duty: string): string => {
    const found = results[client]?.[duty];
    if (found === undefined) return '';
    if (found.outcome !== 'cannot') return found.outcome === 'passed' ? '✔' : '✘';
    const note = found.why ?? '';
    if (!notes.includes(note)) notes.push(note);
    return `– (${notes.indexOf(note) + 1})`;
  };
  const duties = Object.keys(results[clients[0] ?? ''] ?? {});
  const rows = duties.map((duty) => [duty, ...clients.map((client) => cell(client, duty))]);
  const widths = ['duty', ...clients].map((head, at) =>
    Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (texts: readonly string[], fill = ' '): string =>
    `| ${texts.map((text, at) => text.padEnd(widths[at] ?? 0, fill)).join(' | ')} |`;
  const head = [
    line(['duty', ...clients]),
    line(
      widths.map(() => ''),
      '-',
    ),
  ];
  const list = notes.map((note, at) => `${at + 1}. ${note}`);
  return [...head, ...rows.map((row) => line(row)), ...(list.length > 0 ? ['', ...list] : [])].join('\n');
}
