/**
 * `npm run bench -- --against COMMIT`: this tree and another commit in one run, turn by turn, so that what disturbs the
 * machine disturbs both. What is printed is the ratio of their CPU time, now ÷ then.
 */
import process from 'node:process';
import { repositoryRoot } from '../test/support/platform.ts';
import { DIRECTIONS, measureBulk } from './bulk.ts';
import { checkOut } from './checkout.ts';
import { Child } from './children.ts';
import { measureRounds, median } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { coldOf, oursOf } from './ours.ts';
import { Postern } from './postern.ts';
import { type Ratio, ratioOf } from './ratios.ts';
import { ratioLines, table } from './report.ts';
import type { Variant } from './variants/variant.ts';

/** What a change may cost. */
const AIM = 1.01;
const THEN = '@then';

export async function runAgainst(options: BenchOptions, wrk: string | null): Promise<void> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  try {
    const then = checkOut(repositoryRoot, options.against);
    stops.push(() => then.remove());
    const upstream = Child.part('upstream', '');
    stops.push(() => upstream.stop());
    const upstreamPort = Number(await upstream.line());
    const start = async (root: string): Promise<Postern> => {
      const postern = await Postern.start({ upstreamPort, nodeFlags: [], root });
      stops.push(() => postern.stop());
      return postern;
    };
    const [ours, theirs] = [await start(repositoryRoot), await start(then.root)];
    const { only } = options;
    const pairs = (await pairsOf(ours, theirs)).filter(([{ id }]) =>
      only.length === 0 ? !isCold(id) : only.includes(id) || (isCold(id) && only.includes('cold')),
    );
    console.log(`now:  ${repositoryRoot}\nthen: ${then.title}`);
    const samples = await measureRounds(pairs.flat(), options, wrk);
    const rows = [];
    const ratios = [];
    for (const [now, before] of pairs) {
      const [a, b] = [samples.get(now.id) ?? [], samples.get(before.id) ?? []];
      const quiet = [a, b].map((each) => `${median(each.map(({ quietP50 }) => quietP50)).toFixed(0)} µs`);
      rows.push([...row(now.title, a.map(costOf), b.map(costOf), 'µs/request', errorsOf(a) + errorsOf(b)), ...quiet]);
      ratios.push(compared(now.title, a.map(costOf), b.map(costOf)));
    }
    const wantsBulk = options.bulkMegabytes > 0 && (options.only.length === 0 || options.only.includes('bulk'));
    const bulkPairs = wantsBulk ? await pairsOfBulk(ours, theirs) : [];
    const bulk = await measureBulk(bulkPairs.flat(), options);
    for (const [now, before] of bulkPairs) {
      for (const direction of DIRECTIONS) {
        const title = `bulk ${direction}, ${now.title}`;
        const [a, b] = [bulk.get(`${now.id} ${direction}`) ?? [], bulk.get(`${before.id} ${direction}`) ?? []];
        const bad = [...a, ...b].filter(({ error }) => error !== '').length;
        rows.push(row(title, a.map(costOf), b.map(costOf), 's/GB', bad));
        ratios.push(compared(title, a.map(costOf), b.map(costOf)));
      }
    }
    console.log(`\n${table(['CPU', 'now', 'then', 'unit', 'errors', '1 conn. p50', 'then'], rows)}`);
    console.log(`\nCPU, now ÷ then (medians of the rounds' own ratios)\n${ratioLines(ratios)}`);
  } finally {
    await stop();
  }
}

type Pair = readonly [now: Variant, then: Variant];

async function pairsOf(now: Postern, then: Postern): Promise<readonly Pair[]> {
  const all = async (postern: Postern, suffix: string): Promise<readonly Variant[]> => {
    const made = await oursOf(postern, suffix);
    return [...made, ...coldOf(made, suffix)];
  };
  const made = await all(now, '');
  return (await all(then, THEN)).flatMap((variant, index): Pair[] => {
    const other = made[index];
    return other === undefined ? [] : [[other, variant]];
  });
}

const isCold = (id: string): boolean => id.startsWith('cold');

/** Over http, and over TCP. */
async function pairsOfBulk(now: Postern, then: Postern): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const scheme of ['http', 'tcp'] as const) {
    const share = { name: `bench-${scheme}`, scheme };
    pairs.push([
      { id: scheme, title: scheme, ...(await now.share(share)) },
      { id: `${scheme}${THEN}`, title: scheme, ...(await then.share(share)) },
    ]);
  }
  return pairs;
}

const costOf = ({ cpu }: { readonly cpu: readonly number[] }): number => cpu.reduce((sum, part) => sum + part, 0);
const errorsOf = (samples: readonly { readonly errors: number }[]): number =>
  samples.reduce((sum, { errors }) => sum + errors, 0);

function row(title: string, now: readonly number[], then: readonly number[], unit: string, errors: number): string[] {
  return [title, median(now).toFixed(2), median(then).toFixed(2), unit, String(errors)];
}

function compared(text: string, now: readonly number[], then: readonly number[]): Ratio {
  return ratioOf(
    text,
    now.map((cost, round) => cost / (then[round] ?? Number.NaN)),
    AIM,
  );
}
