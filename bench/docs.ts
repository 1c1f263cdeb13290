/** The results of a run as a section of docs/performance.md, between two markers. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repositoryRoot } from '../test/support/platform.ts';
import { namedCalls, number, parts } from './report.ts';
import type { Ratio } from './ratios.ts';
import type { Results } from './results.ts';
import type { Figure } from './scenarios/index.ts';

const PAGE = path.join(repositoryRoot, 'docs', 'performance.md');
const BEGIN = '<!-- written by `npm run bench -- --write-docs` -->';
const END = '<!-- end of what the benchmark writes -->';

/** @throws Error when the page has no place for it */
export async function writeDocs(results: Results): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no markers "${BEGIN}" and "${END}"`);
  await writeFile(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${section(results)}\n\n${page.slice(to)}`);
}

function section({ date, commit, machine, versions, requests, bulk, ratios, figures, ...rest }: Results): string {
  const [before = Number.NaN] = machine.loadBefore;
  const [after = Number.NaN] = machine.loadAfter;
  const busy = before > machine.cpus / 2 ? ' (other work on the machine: latencies are worth little)' : '';
  const programs = Object.entries(versions).map(
    ([name, version]) => `${name} ${/\d[\w.]*/.exec(version)?.[0] ?? version}`,
  );
  const paragraphs = [
    `${date.slice(0, 10)}, commit ${commit}: ${machine.cpus} × ${machine.model}, ${machine.memoryMiB} MiB, ` +
      `${machine.system}; ${programs.join(', ')}. ${rest.connections} connections, ${rest.rounds} rounds of ` +
      `${rest.seconds} s, medians. Load average ${number(before)} before and ${number(after)} after${busy}.`,
    aims(ratios, figures),
  ];
  if (requests.length > 0)
    paragraphs.push(
      markdown(
        ['id', 'variant', 'CPU µs/request', 'sum', 'added p50 ms'],
        requests.map(({ id, title, cpu, sum, addedP50 }) => [
          `\`${id}\``,
          title,
          parts(cpu),
          number(sum),
          number(addedP50 / 1_000, 2),
        ]),
      ),
    );
  if (bulk.length > 0)
    paragraphs.push(
      markdown(
        ['bulk, one connection', 'MB/s', 'CPU s/GB', 'sum'],
        bulk.map(({ title, direction, megabytesPerSecond, cpu, sum }) => [
          `${title}, ${direction}`,
          number(megabytesPerSecond, 0),
          cpu.map(({ seconds }) => number(seconds, 2)).join(' + ') || '-',
          number(sum, 2),
        ]),
      ),
    );
  if (rest.calls.length > 0)
    paragraphs.push(
      markdown(
        ['system calls per request, full load', 'in', 'all', 'most frequent'],
        rest.calls.map(({ id, part, total, calls }) => [`\`${id}\``, part, number(total, 2), namedCalls(calls)]),
      ),
    );
  const counts = Object.entries(rest.counts);
  if (counts.length > 0)
    paragraphs.push(
      markdown(
        ['per request, one at a time', 'count'],
        counts.map(([name, count]) => [name, number(count, name.endsWith('bytes') ? 0 : 3)]),
      ),
    );
  if (rest.skipped.length > 0) paragraphs.push(`Not measured here: ${rest.skipped.join('; ')}.`);
  return paragraphs.join('\n\n');
}

/** What it must show. */
function aims(ratios: readonly Ratio[], figures: readonly Figure[]): string {
  const verdict = (met: boolean): string => (met ? 'met' : '**missed**');
  const rows = [
    ...ratios.map(({ text, value, least, most, aim }) => [
      text,
      number(value, 2),
      `${number(least, 2)} – ${number(most, 2)}`,
      aim === null ? '' : `≤ ${aim}`,
      aim === null ? '' : verdict(value <= aim),
    ]),
    ...figures.map(({ text, value, unit, aim, atLeast = false }) => [
      text,
      `${number(value, 2)} ${unit}`.trim(),
      '',
      aim === null ? '' : `${atLeast ? '≥' : '≤'} ${aim}`,
      aim === null ? '' : verdict(atLeast ? value >= aim : value <= aim),
    ]),
  ];
  return markdown(['CPU ratio, or figure', 'this run', 'its rounds', 'aim', ''], rows);
}

/** As `npm run format` leaves it. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
