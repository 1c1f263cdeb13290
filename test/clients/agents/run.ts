/** Runs every duty of agents with one client: a server and a program of its own. */
import { isWanted } from '../harness/arguments.ts';
import { type Command, Program } from '../harness/program.ts';
import type { Client } from '../harness/client.ts';
import type { Report } from '../harness/report.ts';
import { World } from '../harness/world.ts';
import { type Ability, type AgentDuty, Bench } from './bench.ts';
import { BYTES } from './bytes.ts';
import { ENDPOINTS } from './endpoints.ts';
import { runPage } from '../pages/run.ts';
import { RESTARTS } from './restarts.ts';
import { SESSIONS } from './sessions.ts';

/** The order matters to nobody; each duty has sessions of its own. */
const DUTIES: readonly AgentDuty[] = [...SESSIONS, ...ENDPOINTS, ...BYTES, ...RESTARTS];

export interface AgentClient {
  readonly language: string;
  readonly name: string;
  readonly tools: readonly string[];
  /** Abilities that this SDK does not have, and why. */
  readonly cannot: Readonly<Partial<Record<Ability, string>>>;
  build(): Promise<Command>;
  /** The program of its page in `docs/clients`. */
  page(): Promise<Command> | Command;
}

export function agentClient(client: AgentClient): Client {
  const { language, name, tools } = client;
  return {
    language,
    part: 'agents',
    name,
    tools,
    run: async (report) => {
      const command = await client.build();
      const world = await World.start();
      const program = new Program(command);
      try {
        const page: AgentDuty = { name: 'page', run: async () => runPage(world, await client.page()) };
        for (const duty of [...DUTIES, page]) await runDuty(client, duty, new Bench(world, program), report);
      } finally {
        await program.stop();
        await world.dispose();
      }
    },
  };
}

async function runDuty(client: AgentClient, duty: AgentDuty, bench: Bench, report: Report): Promise<void> {
  if (!isWanted(duty.name)) return;
  const lacks = duty.needs?.find((ability) => client.cannot[ability] !== undefined);
  if (lacks !== undefined) {
    report.add({ client: client.name, duty: duty.name, outcome: 'cannot', why: client.cannot[lacks] ?? '' });
    return;
  }
  const passed = await report.run(client.name, duty.name, async () => {
    await duty.run(bench);
    await bench.clear();
  });
  // What a failed duty left open is not the next one's trouble.
  if (!passed) await bench.clear().catch(() => undefined);
}
