import type { Command } from 'commander';
import type { Definition } from '../config/definitions.ts';
import { nearestOf } from '../config/nearest.ts';
import type { AgentConfig } from '../config/read-config.ts';
import { olderSpellings } from '../endpoints/from-flags.ts';
import { AGENT_FLAGS, IDLE_AGENT_FLAGS, agentFlags } from '../flags/agent-flags.ts';
import { addFlag, switchOf, type FlagValues } from '../flags/flag.ts';
import { UsageError } from '../usage-error.ts';

/** `postern start`: endpoints of the configuration, by name. */
export function addStartCommand(program: Command): void {
  const command = program
    .command('start')
    .description('share what the configuration names: postern start web api, or --all')
    .argument('[names...]', 'endpoints (or tunnels) of the configuration');
  addFlag(command, { name: 'all', help: 'all of them' });
  addFlag(command, { name: 'none', help: 'none: the local API starts what programs want' });
  for (const flag of AGENT_FLAGS) addFlag(command, flag);
  for (const flag of IDLE_AGENT_FLAGS) addFlag(command, flag, true);
  command
    .addHelpText(
      'after',
      `
Examples:
  postern start --all
  postern start web --config postern.yml,secrets.yml

"postern config check" says where the configuration is and what is wrong with it.`,
    )
    .action(async (names: readonly string[], values: FlagValues) => {
      const { runAgent } = await import('../agent/run-agent.ts');
      await runAgent({
        isStart: true,
        flags: agentFlags(values),
        endpoints: (config) => chosen(config, names, values),
        older: olderSpellings('http', values),
      });
    });
}

function chosen(config: AgentConfig, names: readonly string[], values: FlagValues): readonly Definition[] {
  const { endpoints } = config;
  const all = switchOf(values, 'all') === true;
  const none = switchOf(values, 'none') === true;
  if ([all, none, names.length > 0].filter(Boolean).length > 1)
    throw new UsageError('Give names of endpoints, or --all, or --none; not two of them.');
  if (none) return [];
  const file = config.files.join(', ') || 'no configuration file';
  if (all) {
    if (endpoints.size === 0) throw new UsageError(`There are no endpoints to start (${file}).`);
    return [...endpoints.values()];
  }
  if (names.length === 0) {
    const known = endpoints.size === 0 ? '' : ` Known: ${[...endpoints.keys()].join(', ')}.`;
    throw new UsageError(`Name the endpoints to start, or give --all or --none (${file}).${known}`);
  }
  return names.map((name) => {
    const definition = endpoints.get(name);
    if (definition !== undefined) return definition;
    const near = nearestOf(name, [...endpoints.keys()]);
    throw new UsageError(`There is no endpoint ${name} (${file}).${near === null ? '' : ` Did you mean ${near}?`}`);
  });
}
