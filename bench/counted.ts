/** A platform whose processes are counted: what they allocate, and what they ask of the operating system. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { repositoryRoot } from '../test/support/platform.ts';
import { until } from '../test/support/until.ts';
import { load } from './load.ts';
import { median } from './measure.ts';
import { oursOf } from './ours.ts';
import type { Allocated } from './parts/probe.ts';
import { Postern } from './postern.ts';
import type { Variant } from './variants/variant.ts';

/** By `<variant> <server or agent> <count>`, per request. */
export type Counts = Readonly<Record<string, number>>;

/** Requests of each variant before any is counted: code that has not been compiled yet allocates more. */
const WARMING = 20_000;
const ROUNDS = 5;
/**
 * Of each round, however long they take: a connection and a look at the processes cost as much as some dozens of requests,
 * and their share would be the larger the slower the machine is just then.
 */
const ROUND_REQUESTS = 3_000;
const MOST_SECONDS = 120;
/** So that no two requests share a read or a write, however busy the machine is. */
const ONE_AT_A_TIME = 1;
const ANSWER_MS = 10_000;

interface Snapshot extends Allocated {
  readonly reads: number;
  readonly writes: number;
}

export class CountedPlatform {
  readonly #postern: Postern;
  readonly #folder: string;

  private constructor(postern: Postern, folder: string) {
    this.#postern = postern;
    this.#folder = folder;
  }

  static async start(upstreamPort: number, root: string): Promise<CountedPlatform> {
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-counts-'));
    const probe = pathToFileURL(path.join(path.dirname(fileURLToPath(import.meta.url)), 'parts', 'probe.ts'));
    probe.searchParams.set('folder', folder);
    const postern = await Postern.start({ upstreamPort, nodeFlags: [`--import=${probe.href}`], root });
    return new CountedPlatform(postern, folder);
  }

  async count(): Promise<Counts> {
    const counts: Record<string, number> = {};
    for (const variant of await oursOf(this.#postern, '')) {
      await warm(variant);
      const rounds: Counts[] = [];
      for (let round = 0; round < ROUNDS; round++) rounds.push(await this.#round(variant));
      for (const name of Object.keys(rounds[0] ?? {})) {
        counts[`${variant.id} ${name}`] = median(rounds.map((one) => one[name] ?? Number.NaN));
      }
    }
    return counts;
  }

  async #round({ target, measured }: Variant): Promise<Counts> {
    const pids = measured.flatMap((part) => part.pids);
    const before = await Promise.all(pids.map((pid) => this.#look(pid)));
    const { requests, errors } = await load(
      { ...target, connections: ONE_AT_A_TIME, requests: ROUND_REQUESTS, seconds: MOST_SECONDS },
      null,
      () => {},
    );
    const after = await Promise.all(pids.map((pid) => this.#look(pid)));
    if (errors > 0) throw new Error(`${errors} requests failed`);
    const counts: Record<string, number> = {};
    for (const [index, then] of before.entries()) {
      const now = after[index] ?? then;
      const who = index === 0 ? 'server' : 'agent';
      counts[`${who} heap bytes`] = (now.heapBytes - then.heapBytes) / requests;
      counts[`${who} buffer bytes`] = (now.externalBytes - then.externalBytes) / requests;
      counts[`${who} reads`] = (now.reads - then.reads) / requests;
      counts[`${who} collections in a thousand`] = ((now.collections - then.collections) / requests) * 1_000;
      counts[`${who} writes`] = (now.writes - then.writes) / requests;
    }
    return counts;
  }

  async #look(pid: number): Promise<Snapshot> {
    const file = path.join(this.#folder, String(pid));
    const told = async (): Promise<Allocated | null> => JSON.parse(await readFile(file, 'utf8').catch(() => 'null'));
    const asked = (await told())?.asked ?? 0;
    process.kill(pid, 'SIGUSR2');
    const allocated = await until(async () => {
      const next = await told();
      return next === null || next.asked === asked ? null : next;
    }, ANSWER_MS);
    const io = await readFile(`/proc/${pid}/io`, 'latin1');
    const counted = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1]);
    return { ...allocated, reads: counted('syscr'), writes: counted('syscw') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#postern.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Of a platform of its own, which ends with the count. */
export async function countOurs(upstreamPort: number): Promise<Counts> {
  await using platform = await CountedPlatform.start(upstreamPort, repositoryRoot);
  return await platform.count();
}

async function warm({ target }: Variant): Promise<void> {
  for (let requests = 0; requests < WARMING;) {
    const done = await load({ ...target, connections: 16, seconds: 1 }, null, () => {});
    if (done.requests === 0) throw new Error('nothing was answered');
    requests += done.requests;
  }
}
