import type { Command } from 'commander';
import { endpointOptions, olderSpellings } from '../endpoints/from-flags.ts';
import { AGENT_FLAGS, IDLE_AGENT_FLAGS, agentFlags } from '../flags/agent-flags.ts';
import { ENDPOINT_FLAGS } from '../flags/endpoint-flags.ts';
import { addFlag, type FlagValues } from '../flags/flag.ts';
import { OLDER_FLAGS } from '../flags/older-flags.ts';
import type { Proto } from '../proto.ts';

const SUMMARY: Readonly<Record<Proto, string>> = {
  http: 'share a web service: postern http 3000',
  tcp: 'share any TCP service: postern tcp 5432',
  tls: 'share a TLS service, found by its name: postern tls 8443 --url tls://name.example.com',
};

/** `postern http`, `postern tcp`, `postern tls`: a plain agent for one service. */
export function addTunnelCommands(program: Command): void {
  for (const proto of ['http', 'tcp', 'tls'] as const) addTunnelCommand(program, proto);
}

function addTunnelCommand(program: Command, proto: Proto): void {
  const target = proto === 'http' ? 'port, host:port, http(s):// URL, or file:///folder' : 'port or host:port';
  const command = program.command(proto).description(SUMMARY[proto]).argument('<target>', target);
  for (const flag of ENDPOINT_FLAGS) if (flag.protos?.includes(proto) ?? true) addFlag(command, flag);
  for (const flag of AGENT_FLAGS) addFlag(command, flag);
  for (const flag of OLDER_FLAGS) if (flag.protos?.includes(proto) ?? true) addFlag(command, flag, true);
  for (const flag of IDLE_AGENT_FLAGS) addFlag(command, flag, true);
  command.action(async (typed: string, values: FlagValues) => {
    const { runAgent } = await import('../agent/run-agent.ts');
    await runAgent({
      isStart: false,
      flags: agentFlags(values),
      endpoints: () => [{ proto, target: typed, options: endpointOptions(proto, values) }],
      older: olderSpellings(proto, values),
    });
  });
}
