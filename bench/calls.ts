/**
 * System calls per request under the full load, by `strace -c`: nearly free of noise. What is traced runs many times
 * slower meanwhile, so nothing else is measured then.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Child, findCommand, type Measured } from './children.ts';
import { load } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { CallRow } from './results.ts';
import { Missing } from './stage.ts';
import type { Variant } from './variants/variant.ts';

const SECONDS = 1;
const MOST_NAMED = 4;

/** @throws Missing without strace */
export async function countCalls(
  variants: readonly Variant[],
  options: BenchOptions,
  folder: string,
  wrk: string | null,
): Promise<readonly CallRow[]> {
  const strace = findCommand('strace');
  if (strace === null) throw new Missing('strace is not installed');
  const rows: CallRow[] = [];
  for (const variant of variants) {
    for (const [index, part] of variant.measured.entries()) {
      const file = path.join(folder, `calls-${variant.id}-${index}`);
      const tracing = new Child(strace, ['-c', '-f', '-qq', '-o', file, ...pidsOf(part)]);
      await new Promise((resolve) => setTimeout(resolve, ATTACH_MS));
      const { requests } = await load(
        { connections: options.connections, ...variant.target, seconds: SECONDS },
        wrk,
        () => {},
      );
      await tracing.stop('SIGINT');
      rows.push(rowOf(variant.id, part.label, await readFile(file, 'utf8'), requests));
    }
  }
  return rows;
}

const ATTACH_MS = 300;

const pidsOf = ({ pids }: Measured): readonly string[] => pids.flatMap((pid) => ['-p', String(pid)]);

/** Lines of strace: share, seconds, microseconds a call, calls, errors (or none), name. */
function rowOf(id: string, part: string, text: string, requests: number): CallRow {
  const counted = [...text.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/gm)]
    .map(([, calls = '0', name = '']) => [name, Number(calls) / requests] as const)
    .filter(([name]) => name !== 'total')
    .toSorted(([, a], [, b]) => b - a);
  return {
    id,
    part,
    total: counted.reduce((sum, [, calls]) => sum + calls, 0),
    calls: Object.fromEntries(counted.slice(0, MOST_NAMED)),
  };
}
