import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly rounds: number;
  /** Of load per variant and round. */
  readonly seconds: number;
  readonly connections: number;
  /** Ids of variants, and groups; empty = the usual ones. */
  readonly only: readonly string[];
  /** Everything that there is. */
  readonly all: boolean;
  /** Megabytes (10^6) per bulk transfer; 0 = none. */
  readonly bulkMegabytes: number;
  /** Use our own generator even where wrk is installed. */
  readonly ownLoad: boolean;
  /** Count system calls, bytes allocated and collections, too. */
  readonly counts: boolean;
  /** Folder for CPU profiles of Postern's processes; '' = none. */
  readonly profile: string;
  /** A commit to compare with, in place of the references; '' = none. */
  readonly against: string;
  /** File for the results as JSON; '' = none. */
  readonly json: string;
  /** Write the results into docs/performance.md. */
  readonly writeDocs: boolean;
}

export const USAGE = `npm run bench -- [--rounds 5] [--seconds 2] [--connections 64] [--only id,group] [--all] [--bulk 256]
                [--counts] [--own-load] [--json file] [--write-docs] [--profile folder] [--against commit]

  --rounds N       interleaved rounds (A B C A B C …); medians are printed
  --seconds N      whole seconds of load per variant and round
  --connections N  keep-alive connections of the load
  --only names     what to run, by ids and groups of --list (with --against cloud, http, https, h2, bulk, cold)
  --all            everything that --list names
  --list           print what there is, by groups, and end
  --bulk N         megabytes per bulk transfer, 0 to leave bulk out
  --counts         system calls (by strace) of each variant, and what ours allocate and collect, per request
  --own-load       our generator even where wrk is installed
  --json FILE      the results, with machine, versions and date
  --write-docs     the results into docs/performance.md
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
      all: { type: 'boolean', default: false },
      bulk: { type: 'string', default: '256' },
      counts: { type: 'boolean', default: false },
      'own-load': { type: 'boolean', default: false },
      profile: { type: 'string', default: '' },
      against: { type: 'string', default: '' },
      json: { type: 'string', default: '' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  return {
    rounds: Math.round(positive('rounds', values.rounds, 1)),
    seconds: Math.round(positive('seconds', values.seconds, 1)),
    connections: Math.round(positive('connections', values.connections, 1)),
    only: values.only.split(',').filter(Boolean),
    all: values.all,
    bulkMegabytes: positive('bulk', values.bulk, 0),
    ownLoad: values['own-load'],
    counts: values.counts,
    profile: values.profile,
    against: values.against,
    json: values.json,
    writeDocs: values['write-docs'],
  };
}

function positive(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least) throw new Error(`--${name} ${text}: expected a number from ${least}`);
  return value;
}
