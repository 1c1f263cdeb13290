/**
 * Tables of medians, and the ratios that matter: they hold from machine to machine, the absolute figures do not.
 */
import { type BulkSample, DIRECTIONS } from './bulk.ts';
import type { Variant } from './lineup.ts';
import { median, type Sample } from './measure.ts';

type Samples = ReadonlyMap<string, readonly Sample[]>;
type BulkSamples = ReadonlyMap<string, readonly BulkSample[]>;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const number = (value: number, digits = 1): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));
const milliseconds = (microseconds: number): string => number(microseconds / 1_000, 2);

/** Median of what one request costs in all measured parts. */
function totalCpu(samples: Samples, id: string): number {
  return median((samples.get(id) ?? []).map((sample) => (sample.cpu.length === 0 ? Number.NaN : sum(sample.cpu))));
}

export function requestTable(variants: readonly Variant[], samples: Samples): string {
  const direct = median((samples.get('direct') ?? []).map((sample) => sample.quietP50));
  const rows = variants.map((variant) => {
    const own = samples.get(variant.id) ?? [];
    const of = (pick: (sample: Sample) => number): number => median(own.map(pick));
    const parts = variant.measured.map((_, index) => number(of((sample) => sample.cpu[index] ?? Number.NaN)));
    return [
      variant.id,
      variant.title,
      parts.join(' + ') || '-',
      number(totalCpu(samples, variant.id)),
      number(
        of((sample) => sample.requestsPerSecond),
        0,
      ),
      milliseconds(of((sample) => sample.p50)),
      milliseconds(of((sample) => sample.p99)),
      milliseconds(of((sample) => sample.quietP50)),
      milliseconds(of((sample) => sample.quietP99)),
      milliseconds(of((sample) => sample.quietP50) - direct),
      String(own.reduce((total, sample) => total + sample.errors, 0)),
    ];
  });
  return table(
    ['id', 'variant', 'CPU µs/request', 'sum', 'req/s', 'p50 ms', 'p99', '1 conn. p50', 'p99', 'added p50', 'errors'],
    rows,
  );
}

export interface Ratio {
  readonly text: string;
  readonly value: number;
  /** Highest value that meets the aim; null = there is none. */
  readonly aim: number | null;
}

export function requestRatios(samples: Samples): readonly Ratio[] {
  const ratio = (text: string, one: string, other: string, aim: number | null): Ratio => ({
    text,
    value: median(
      (samples.get(one) ?? []).map((sample, round) => {
        const reference = samples.get(other)?.[round];
        return reference === undefined ? Number.NaN : sum(sample.cpu) / sum(reference.cpu);
      }),
    ),
    aim,
  });
  const ratios = [
    ratio('http through an agent ÷ nginx twice', 'http', 'nginx-twice', 1),
    ratio('https through an agent ÷ nginx twice with https', 'https', 'nginx-twice-tls', 1),
    ratio('http through an agent ÷ node:http proxy (one hop)', 'http', 'node-proxy', null),
    ratio('https through an agent ÷ node:http proxy (one hop, no TLS)', 'https', 'node-proxy', null),
    ratio('http with the inspector on ÷ off', 'inspected', 'http', 1.15),
    ratio('cloud endpoint ÷ nginx once', 'cloud', 'nginx-once', 1),
    ratio('cloud endpoint ÷ nginx answering by itself', 'cloud', 'nginx-answer', null),
    ratio('cloud endpoint ÷ node:http proxy', 'cloud', 'node-proxy', null),
  ];
  return ratios.filter(({ value }) => !Number.isNaN(value));
}

export function bulkTable(variants: readonly Variant[], samples: BulkSamples): string {
  const rows = variants.flatMap((variant) =>
    DIRECTIONS.map((direction) => {
      const own = samples.get(`${variant.id} ${direction}`) ?? [];
      const parts = variant.measured.map((_, index) =>
        number(median(own.map((sample) => sample.cpu[index] ?? Number.NaN)), 2),
      );
      return [
        `${variant.title}, ${direction}`,
        number(median(own.map((sample) => sample.megabytesPerSecond)), 0),
        parts.join(' + ') || '-',
        variant.measured.length === 0 ? '-' : number(median(own.map((sample) => sum(sample.cpu))), 2),
        own.find((sample) => sample.error !== '')?.error ?? 'none',
      ];
    }),
  );
  return table(['bulk', 'MB/s', 'CPU s/GB', 'sum', 'errors'], rows);
}

export function bulkRatios(samples: BulkSamples): readonly Ratio[] {
  return DIRECTIONS.map((direction) => {
    const references = samples.get(`nginx-twice ${direction}`) ?? [];
    const values = (samples.get(`http ${direction}`) ?? []).map((sample, round) => {
      const reference = references[round];
      return reference === undefined ? Number.NaN : sum(sample.cpu) / sum(reference.cpu);
    });
    return { text: `bulk ${direction} through an agent ÷ nginx twice, TLS between`, value: median(values), aim: 1 };
  }).filter(({ value }) => !Number.isNaN(value));
}

export function ratioLines(ratios: readonly Ratio[]): string {
  return ratios
    .map(({ text, value, aim }) => {
      const verdict = aim === null ? '' : value <= aim ? `  (aim ≤ ${aim}: met)` : `  (aim ≤ ${aim}: missed)`;
      return `  ${value.toFixed(2).padStart(6)}  ${text}${verdict}`;
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
