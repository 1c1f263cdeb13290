/**
 * The seeded fault run: the platform, agents of two makers, upstreams and visitors, with everything failing around them.
 * In the end all must be as it was, and not one delivery wrong.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Dice } from '@postern/edge/testing/dice';
import { Platform } from '../support/platform.ts';
import { Faults } from './faults.ts';
import { atRest, collecting, describeHealth, type Health, measure, nurse, recovered, worseThan } from './health.ts';
import type { Ledger } from './ledger.ts';
import { type Scene, setScene } from './scene.ts';
import { type Protocol, type ServerView, Visitor } from './visitors.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Ends the faults early; the judgement follows. */
  readonly signal?: AbortSignal;
}

export interface SoakReport {
  /** Everything that must not happen, in words; empty when all is well. */
  readonly violations: readonly string[];
  readonly settled: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly protocols: ReadonlyMap<Protocol, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly before: Health;
  readonly after: Health;
}

const VISITORS = 12;
const WARM_UP_MS = 5000;
/** For recovery and the last measurements. */
const TAIL_SECONDS = 12;

export async function runSoak({ seconds, seed, say, signal }: SoakOptions): Promise<SoakReport> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const dataDir = await mkdtemp(path.join(tmpdir(), 'postern-soak-'));
  const env = collecting(dataDir);
  let platform = await Platform.start({ dataDir, env });
  /** Of servers so far. */
  let lives = 1;
  const scene = await setScene(() => platform);
  const { ledger, agents } = scene;
  const visitors = createVisitors(seed, scene, { platform: () => platform, lives: () => lives });
  const visit = async (milliseconds: number, or?: AbortSignal): Promise<void> => {
    const late = AbortSignal.timeout(milliseconds);
    const enough = or === undefined ? late : AbortSignal.any([late, or]);
    await Promise.all(visitors.map((visitor) => visitor.run(enough)));
  };
  try {
    // The baseline is what a server needs that has done all of this once, undisturbed.
    await visit(WARM_UP_MS);
    if ([...ledger.outcomes.keys()].join() !== 'ok') ledger.violate(`without any fault: ${listed(ledger.outcomes)}`);
    const before = await atRest(platform, agents.length);
    say(`baseline: ${describeHealth(before)}`);

    const [stopFaults, stopNurse] = [new AbortController(), new AbortController()];
    const faults = new Faults(
      {
        agents,
        upstreams: scene.restartable,
        note: (what) => ledger.note(what),
        serverLivesMs: Math.min(60_000, Math.max(12_000, seconds * 100)),
        // The last process has a history to be measured.
        mayRestartServer: () => elapsed() < seconds * 0.6,
        restartServer: async () => {
          lives += 1;
          platform = await platform.restart('SIGKILL', { listen: platform.sameAddresses, env });
        },
      },
      new Dice(seed),
    );
    const progress = setInterval(() => void tell(elapsed(), ledger, platform, say), 10_000);
    ledger.unruly = true;
    const failing = faults.run(stopFaults.signal);
    const nursing = nurse(scene, () => platform, stopNurse.signal, faults.counts);
    await visit(Math.round(Math.max(5, seconds - elapsed() - TAIL_SECONDS) * 1000), signal);
    clearInterval(progress);
    ledger.unruly = false;
    stopFaults.abort();
    await failing;
    await recovered(scene, platform).catch((error: Error) => ledger.violate(`no recovery: ${error.message}`));
    stopNurse.abort();
    await nursing;

    await seeThatItWorks(visit, ledger);
    const after = await atRest(platform, agents.length);
    for (const problem of worseThan(before, after)) ledger.violate(problem);
    for (const agent of agents) for (const refusal of agent.refusals) ledger.violate(`refused: ${refusal}`);
    const { violations, settled, outcomes } = ledger;
    return { violations, settled, outcomes, protocols: answersOf(visitors), faults: faults.counts, before, after };
  } finally {
    await scene.close();
    await platform.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

export function describeReport(report: SoakReport): string {
  const { settled, outcomes, protocols, faults, before, after, violations } = report;
  return [
    `${settled} requests: ${listed(outcomes)}`,
    `answered over ${listed(protocols)}`,
    `faults: ${listed(faults)}`,
    `before: ${describeHealth(before)}`,
    `after:  ${describeHealth(after)}`,
    violations.length === 0 ? 'no violation' : `${violations.length} violations:\n  ${violations.join('\n  ')}`,
  ].join('\n');
}

/** After all faults every kind of visit succeeds again. */
async function seeThatItWorks(visit: (milliseconds: number) => Promise<void>, ledger: Ledger): Promise<void> {
  const before = new Map(ledger.outcomes);
  await visit(2000);
  for (const [outcome, count] of ledger.outcomes) {
    const more = count - (before.get(outcome) ?? 0);
    if (outcome !== 'ok' && more > 0) ledger.violate(`after the last fault still: ${outcome} × ${more}`);
  }
}

async function tell(seconds: number, ledger: Ledger, platform: Platform, say: (line: string) => void): Promise<void> {
  const health = await measure(platform).then(describeHealth, () => 'the server is being restarted');
  const ok = ledger.outcomes.get('ok') ?? 0;
  say(
    `${Math.round(seconds)} s: ${ok} answers, ${ledger.settled - ok} failures as they must be, ` +
      `${ledger.violations.length} violations; ${health}`,
  );
}

function createVisitors(seed: number, { ledger, doors }: Scene, server: ServerView): Visitor[] {
  let nonces = 0;
  const nextNonce = (): string => `n${seed}-${(nonces += 1)}`;
  return Array.from(
    { length: VISITORS },
    (_, index) => new Visitor({ server, ledger, dice: new Dice(seed + 1 + index), nextNonce, doors }),
  );
}

function answersOf(visitors: readonly Visitor[]): Map<Protocol, number> {
  const protocols = new Map<Protocol, number>();
  for (const { answered } of visitors) {
    for (const [protocol, count] of answered) protocols.set(protocol, (protocols.get(protocol) ?? 0) + count);
  }
  return protocols;
}

/** `ok × 12, 503 ERR_NGROK_1 × 3`, the most frequent first. */
function listed(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, left], [, right]) => right - left);
  return sorted.map(([what, count]) => `${what} × ${count}`).join(', ');
}
