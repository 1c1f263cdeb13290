/** A small request while one large body comes down the same agent session, beside nginx twice with the same. */
import { Child } from '../children.ts';
import type { BulkOrder } from '../bulk.ts';
import { load, type LoadResult, type LoadTarget } from '../load.ts';
import { median } from '../measure.ts';
import type { Figure, Scenario } from './scenario.ts';

const ROUNDS = 5;
const SECONDS = 1;
/** More than passes in a round; it is cut then. */
const BYTES = 1e11;

export const BESIDE_BULK: Scenario = {
  id: 'beside-bulk',
  group: 'beside-bulk',
  title: 'small requests beside a large body',
  run: async (stage) => {
    const postern = await stage.postern();
    const { target } = await postern.share({ name: 'bench-http', scheme: 'http' });
    const { twiceTlsBetweenPort: port } = await stage.nginx();
    const nginx: LoadTarget = { host: '127.0.0.1', port, path: '/', hostHeader: 'nginx.postern.localhost', tls: false };
    const ours: LoadResult[] = [];
    const theirs: LoadResult[] = [];
    await measure(target);
    await measure(nginx);
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measure(target));
      theirs.push(await measure(nginx));
    }
    const of = (pick: (result: LoadResult) => number): readonly Figure[] => [
      figure('http through an agent', median(ours.map(pick)) / 1_000, 'ms'),
      figure('nginx twice, TLS between', median(theirs.map(pick)) / 1_000, 'ms'),
    ];
    const ratio = median(ours.map(({ p99 }, round) => p99 / (theirs[round]?.p99 ?? Number.NaN)));
    return [
      ...of(({ p50 }) => p50).map(({ text, ...rest }) => ({ text: `p50 ${text}`, ...rest })),
      ...of(({ p99 }) => p99).map(({ text, ...rest }) => ({ text: `p99 ${text}`, ...rest })),
      { text: 'p99 beside bulk ÷ nginx twice with the same', value: ratio, unit: '', aim: 1.5 },
    ];
  },
};

function figure(text: string, value: number, unit: string): Figure {
  return { text: `beside bulk, ${text}`, value, unit, aim: null };
}

async function measure(target: LoadTarget): Promise<LoadResult> {
  const order: BulkOrder = { ...target, direction: 'down', bytes: BYTES };
  const bulk = Child.part('bulk-client', JSON.stringify(order), true);
  try {
    await bulk.line();
    bulk.say('go');
    return await load({ ...target, connections: 1, seconds: SECONDS }, null, () => {});
  } finally {
    await bulk.stop('SIGKILL');
  }
}
