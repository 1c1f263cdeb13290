import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly rounds: number;
  /** Of load per variant and round. */
  readonly seconds: number;
  readonly connections: number;
  /** Ids of variants; empty = all. */
  readonly only: readonly string[];
  /** Megabytes (10^6) per bulk transfer; 0 = none. */
  readonly bulkMegabytes: number;
  /** Use our own generator even where wrk is installed. */
  readonly ownLoad: boolean;
  /** Folder for CPU profiles of Postern's processes; '' = none. */
  readonly profile: string;
  /** A commit to compare with, in place of the references; '' = none. */
  readonly against: string;
}

export const USAGE = `npm run bench -- [--rounds 5] [--seconds 2] [--connections 64] [--only id,id] [--bulk 256]
                [--own-load] [--profile folder] [--against commit]

  --rounds N       interleaved rounds (A B C A B C …); medians are printed
  --seconds N      whole seconds of load per variant and round
  --connections N  keep-alive connections of the load
  --only ids       variants to run, by the ids in the first column (with --against cloud, http, https, h2), and "bulk"
  --bulk N         megabytes per bulk transfer, 0 to leave bulk out
  --own-load       our generator even where wrk is installed
  --profile DIR    write CPU profiles of Postern's processes into DIR (figures are then not comparable)
  --against COMMIT this tree and another commit of it in one run, interleaved; prints the ratios of CPU time`;

export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      only: { type: 'string', default: '' },
      bulk: { type: 'string', default: '256' },
      'own-load': { type: 'boolean', default: false },
      profile: { type: 'string', default: '' },
      against: { type: 'string', default: '' },
    },
  });
  const only = values.only.split(',').filter(Boolean);
  const bulkWanted = only.length === 0 || only.includes('bulk');
  return {
    rounds: Math.round(positive('rounds', values.rounds, 1)),
    seconds: Math.round(positive('seconds', values.seconds, 1)),
    connections: Math.round(positive('connections', values.connections, 1)),
    only: only.filter((id) => id !== 'bulk'),
    bulkMegabytes: bulkWanted ? positive('bulk', values.bulk, 0) : 0,
    ownLoad: values['own-load'],
    profile: values.profile,
    against: values.against,
  };
}

function positive(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least) throw new Error(`--${name} ${text}: expected a number from ${least}`);
  return value;
}
