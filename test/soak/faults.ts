/** What goes wrong, when, and for how long; all of it from the dice. */
import type { Dice } from '@postern/edge/testing/dice';
import type { AgentProcess } from './agents.ts';
import type { SoakUpstream } from './upstreams.ts';

export interface FaultTargets {
  readonly agents: readonly [AgentProcess, ...AgentProcess[]];
  readonly upstreams: readonly [SoakUpstream, ...SoakUpstream[]];
  /** kill -9 and a new process at the same addresses. */
  readonly restartServer: () => Promise<void>;
  readonly note: (what: string) => void;
  /** The server lives this long at least, in milliseconds. */
  readonly serverLivesMs: number;
  /** May be false near the end, so that the last process has a history to be measured. */
  readonly mayRestartServer: () => boolean;
}

type AgentFault = (agent: AgentProcess, dice: Dice) => Promise<void>;

/** By weight: a name listed twice is twice as likely. */
const AGENT_FAULTS: readonly [readonly [string, AgentFault], ...(readonly [string, AgentFault])[]] = [
  ['agent killed', (agent, dice) => agent.restart(dice.below(500))],
  ['agent killed', (agent, dice) => agent.restart(dice.below(500))],
  [
    'agent stopped',
    async (agent, dice) => {
      agent.signal('SIGSTOP');
      // Beyond its heartbeats now and then.
      await pause(dice.once(4) ? 5000 + dice.below(2000) : 100 + dice.below(1500));
      agent.signal('SIGCONT');
    },
  ],
  [
    'agent killed behind a half-open wire',
    async (agent) => {
      agent.wire.refuse();
      agent.wire.halfOpen();
      await agent.kill();
      agent.wire.accept();
      await agent.start();
    },
  ],
  [
    'agent killed behind a slow wire',
    async (agent, dice) => {
      // What the dead one sent last arrives after its successor's first words.
      agent.wire.delay(300 + dice.below(700));
      await pause(dice.below(300));
      await agent.kill();
      agent.wire.delay(0);
      await agent.start();
    },
  ],
  [
    'connections out of order',
    async (agent, dice) => {
      agent.wire.scatter(() => dice.below(300));
      await agent.restart(dice.below(50));
      agent.wire.cut();
      await pause(500);
      agent.wire.scatter(() => 0);
    },
  ],
  ['wire cut', (agent, dice) => outage(agent, dice, () => agent.wire.cut())],
  ['wire cut', (agent, dice) => outage(agent, dice, () => agent.wire.cut())],
  ['wire half-open', (agent, dice) => outage(agent, dice, () => agent.wire.halfOpen())],
  ['wire half-open', (agent, dice) => outage(agent, dice, () => agent.wire.halfOpen())],
  [
    'wire stalled',
    async (agent, dice) => {
      agent.wire.stall();
      await pause(100 + dice.below(2500));
      agent.wire.resume();
    },
  ],
  [
    'wire slow',
    async (agent, dice) => {
      agent.wire.delay(5 + dice.below(120));
      await pause(500 + dice.below(2000));
      agent.wire.delay(0);
    },
  ],
];

/** Two faults at a time at most, each on its own agent. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly #targets: FaultTargets;
  readonly #dice: Dice;
  readonly #underWay = new Set<Promise<void>>();
  #serverAt = performance.now();

  constructor(targets: FaultTargets, dice: Dice) {
    this.#targets = targets;
    this.#dice = dice;
  }

  /** Resolves after the signal, when everything has been put right again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(300 + this.#dice.below(900));
      if (!signal.aborted && this.#underWay.size < 2) this.#begin();
    }
    await Promise.all(this.#underWay);
  }

  #begin(): void {
    const { serverLivesMs, mayRestartServer, upstreams, agents } = this.#targets;
    if (mayRestartServer() && performance.now() - this.#serverAt > serverLivesMs) {
      // Counted anew when it is there again.
      this.#serverAt = Number.POSITIVE_INFINITY;
      return this.#track('server killed', this.#restartServer());
    }
    if (this.#dice.once(8)) {
      const upstream = this.#dice.pick(upstreams);
      return this.#track('upstream restarted', upstream.restart(), upstream.name);
    }
    const agent = this.#dice.pick(agents);
    const [name, fault] = this.#dice.pick(AGENT_FAULTS);
    if (agent.busy) return;
    this.#track(name, onAgent(agent, this.#dice, fault), agent.plan.name);
  }

  async #restartServer(): Promise<void> {
    await this.#targets.restartServer();
    this.#serverAt = performance.now();
  }

  #track(name: string, running: Promise<void>, whose = ''): void {
    const { note } = this.#targets;
    note(`${name} ${whose}`);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#underWay.add(running);
    void running.finally(() => {
      note(`${name} ${whose}: over`);
      this.#underWay.delete(running);
    });
  }
}

async function onAgent(agent: AgentProcess, dice: Dice, fault: AgentFault): Promise<void> {
  agent.busy = true;
  try {
    await fault(agent, dice);
  } finally {
    agent.busy = false;
  }
}

/** Half of the outages are over at once; the others last a little. */
async function outage(agent: AgentProcess, dice: Dice, lose: () => void): Promise<void> {
  if (dice.once(2)) return lose();
  agent.wire.refuse();
  lose();
  await pause(dice.below(agent.plan.kind === 'sdk' ? 40 : 1500));
  agent.wire.accept();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
