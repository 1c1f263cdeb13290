/** What this run measures: variants by their ids or groups, started as far as this machine can. */
import type { BenchOptions } from './options.ts';
import { type Scenario, SCENARIOS } from './scenarios/index.ts';
import { Missing, type Stage } from './stage.ts';
import { BULK } from './variants/bulk.ts';
import { CORE } from './variants/core.ts';
import { PEERS } from './variants/peers.ts';
import { RULES } from './variants/rules.ts';
import type { Definition, Variant } from './variants/variant.ts';
import { WIDE } from './variants/wide.ts';

export interface Lineup {
  readonly variants: readonly Variant[];
  /** Where bulk bodies can be fetched from and sent to. */
  readonly bulk: readonly Variant[];
  readonly scenarios: readonly Scenario[];
  /** One line for each that cannot be measured here. */
  readonly skipped: readonly string[];
}

const REQUESTS: readonly Definition[] = [...CORE, ...WIDE, ...RULES, ...PEERS];
/** What runs when nothing is asked for. */
const USUAL = new Set(['core', 'bulk']);

type Listed = Pick<Definition, 'id' | 'group' | 'title'> | Scenario;

export async function startLineup(stage: Stage): Promise<Lineup> {
  const { only } = stage.options;
  const known = new Set([...REQUESTS, ...BULK, ...SCENARIOS].flatMap(({ id, group }) => [id, group]));
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`--only: no variant or group ${unknown.join(', ')}; --list names them`);
  const skipped: string[] = [];
  const variants = await startAll(stage, REQUESTS.filter(wantedBy(stage.options)), skipped);
  // An id of a small request is not one of bulk: `--only http` measures no bulk.
  const groups = only.filter((name) => BULK.some(({ group }) => group === name));
  const inBulk = ({ group }: Definition): boolean =>
    stage.options.all ||
    groups.includes(group) ||
    (groups.length > 0 ? group === 'bulk' : only.length === 0 && USUAL.has(group));
  const bulk = stage.options.bulkMegabytes > 0 ? await startAll(stage, BULK.filter(inBulk), skipped) : [];
  return { variants, bulk, scenarios: SCENARIOS.filter(wantedBy(stage.options)), skipped: [...new Set(skipped)] };
}

/** Every id, by group. */
export function listing(): string {
  const groups = new Map<string, string[]>();
  const add = ({ id, group, title }: Listed): void => {
    groups.set(group, [...(groups.get(group) ?? []), `  ${id.padEnd(20)} ${title}`]);
  };
  for (const one of [...REQUESTS, ...BULK, ...SCENARIOS]) add(one);
  return [...groups].map(([group, lines]) => `${group}\n${lines.join('\n')}`).join('\n');
}

function wantedBy({ only, all }: BenchOptions): (one: Listed) => boolean {
  return ({ id, group }) => all || (only.length === 0 ? USUAL.has(group) : only.includes(id) || only.includes(group));
}

async function startAll(
  stage: Stage,
  definitions: readonly Definition[],
  skipped: string[],
): Promise<readonly Variant[]> {
  const variants: Variant[] = [];
  for (const { id, title, start } of definitions) {
    try {
      variants.push({ id, title, ...(await start(stage)) });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      skipped.push(`${id}: ${error.message}`);
    }
  }
  return variants;
}
