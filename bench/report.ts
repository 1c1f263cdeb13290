/** Tables for a terminal. */
import type { Figure } from './scenarios/index.ts';
import type { BulkRow, CallRow, RequestRow } from './results.ts';
import type { Ratio } from './ratios.ts';

export const number = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const milliseconds = (microseconds: number): string => number(microseconds / 1_000, 2);
export const parts = (cpu: readonly { readonly us: number }[]): string =>
  cpu.map(({ us }) => number(us)).join(' + ') || '-';

export function requestTable(rows: readonly RequestRow[]): string {
  return table(
    ['id', 'variant', 'CPU µs/request', 'sum', 'req/s', 'p50 ms', 'p99', '1 conn. p50', 'p99', 'added p50', 'errors'],
    rows.map((row) => [
      row.id,
      row.title,
      parts(row.cpu),
      number(row.sum),
      number(row.requestsPerSecond, 0),
      milliseconds(row.p50),
      milliseconds(row.p99),
      milliseconds(row.quietP50),
      milliseconds(row.quietP99),
      milliseconds(row.addedP50),
      String(row.errors),
    ]),
  );
}

export function bulkTable(rows: readonly BulkRow[]): string {
  return table(
    ['bulk', 'MB/s', 'CPU s/GB', 'sum', 'errors'],
    rows.map(({ title, direction, megabytesPerSecond, cpu, sum, error }) => [
      `${title}, ${direction}`,
      number(megabytesPerSecond, 0),
      cpu.map(({ seconds }) => number(seconds, 2)).join(' + ') || '-',
      number(sum, 2),
      error === '' ? 'none' : error,
    ]),
  );
}

export function callTable(rows: readonly CallRow[]): string {
  return table(
    ['system calls per request', 'in', 'all', 'most frequent'],
    rows.map(({ id, part, total, calls }) => [id, part, number(total, 2), namedCalls(calls)]),
  );
}

export function namedCalls(calls: CallRow['calls']): string {
  return Object.entries(calls)
    .map(([name, count]) => `${name} ${number(count, 2)}`)
    .join(', ');
}

export function ratioLines(ratios: readonly Ratio[]): string {
  return ratios
    .map(({ text, value, least, most, aim }) => {
      const verdict = aim === null ? '' : `  (aim ≤ ${aim}: ${value <= aim ? 'met' : 'missed'})`;
      return `  ${value.toFixed(2).padStart(6)}  ${text}, ${least.toFixed(2)} to ${most.toFixed(2)}${verdict}`;
    })
    .join('\n');
}

export function figureLines(figures: readonly Figure[]): string {
  return figures
    .map(({ text, value, unit, aim, atLeast = false }) => {
      const met = aim !== null && (atLeast ? value >= aim : value <= aim);
      const verdict = aim === null ? '' : `  (aim ${atLeast ? '≥' : '≤'} ${aim}: ${met ? 'met' : 'missed'})`;
      return `  ${number(value, 2).padStart(9)} ${unit.padEnd(3)} ${text}${verdict}`;
    })
    .join('\n');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const leftAligned = head.map((_, column) => rows.every((row) => Number.isNaN(Number(row[column] ?? ''))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        leftAligned[column] === true ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
