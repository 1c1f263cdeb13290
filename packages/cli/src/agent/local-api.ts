import { type AgentSession, openUpstream } from '@postern/agent';
import {
  type AgentState,
  type Inspector,
  startInspector,
  TunnelRefused,
  type Tunnel as ShownTunnel,
  type Tunnels,
} from '@postern/inspector';
import { inspectorPages } from '@postern/ui';
import type { AgentSettings } from '../config/read-config.ts';
import type { Definition } from '../config/definitions.ts';
import { defined } from '../defined.ts';
import { codeOf, messageOf } from '../problem.ts';
import type { TunnelLog } from '../tunnel-log.ts';
import { UsageError } from '../usage-error.ts';
import { VERSION } from '../version.ts';
import { type AgentTunnels, prepare, type Tunnel } from './tunnels.ts';

const STANDARD_ADDR = '127.0.0.1:4040';

/** What runs, as far as it does yet. */
export interface Running {
  session: AgentSession | undefined;
  tunnels: AgentTunnels | undefined;
  region: string;
  facts: AgentState['facts'];
}

/** The inspector of this agent, with its local API where the settings want it. @throws UsageError */
export async function startLocalApi(
  webAddr: string | undefined,
  settings: AgentSettings,
  running: Running,
  log: TunnelLog,
): Promise<Inspector> {
  const addr = webAddr ?? settings.web_addr ?? STANDARD_ADDR;
  try {
    return await startInspector({
      tunnels: tunnelsOf(running),
      webAddr: addr === 'false' ? false : addr,
      allowHosts: settings.web_allow_hosts ?? [],
      dbSize: settings.local_storage === false ? -1 : (settings.inspect_db_size ?? 0),
      pages: inspectorPages,
      log,
    });
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

/** Whom the inspector watches of what is started. */
export function watchOf(
  inspector: Inspector,
): (name: string, definition: Definition) => ReturnType<Inspector['watch']> | undefined {
  return (name, { proto, options }) => {
    // Without the API nobody looks.
    if (inspector.addr === '' || (proto === 'http' && options.inspect === false)) return undefined;
    return inspector.watch({ name, inspect: proto === 'http' });
  };
}

function tunnelsOf(running: Running): Tunnels {
  const found = (name: string): Tunnel | undefined => running.tunnels?.list.find((tunnel) => tunnel.name === name);
  return {
    state: () => ({
      session: running.session?.state ?? 'connecting',
      version: VERSION,
      region: running.region,
      latency: running.session?.latency,
      ...(running.session === undefined
        ? {}
        : { legs: running.session.legs.flatMap(({ online, latency }) => (online ? [latency] : [])) }),
      facts: running.facts,
    }),
    list: () => running.tunnels?.list.map(shown) ?? [],
    // Loaded when it is needed: reading definitions takes a YAML reader.
    startTunnel: (given) => start(running, async () => (await import('../config/from-json.ts')).tunnelFromJson(given)),
    startEndpoint: (given) =>
      start(running, async () => (await import('../config/from-json.ts')).endpointFromJson(given)),
    stop: async (name) => (await running.tunnels?.stop(name)) ?? false,
    connect(name) {
      const tunnel = found(name);
      return tunnel === undefined ? undefined : openUpstream(tunnel.listener.options);
    },
  };
}

async function start({ session, tunnels }: Running, read: () => Promise<Definition>): Promise<ShownTunnel> {
  if (tunnels === undefined || session?.state !== 'online')
    throw new TunnelRefused(503, 104, 'the agent is not connected yet', 'no session');
  try {
    const definition = await read();
    const { name } = definition.options;
    if (tunnels.has(name)) throw new UsageError(`A tunnel ${name} is there already.`);
    const [tunnel] = await tunnels.start(await prepare(definition));
    if (tunnel === undefined) throw new UsageError(`The tunnel ${name} has nothing to start.`);
    return shown(tunnel);
  } catch (error) {
    const words = messageOf(error);
    if (error instanceof UsageError) throw new TunnelRefused(400, 102, 'invalid tunnel configuration', words);
    const code = codeOf(error);
    throw new TunnelRefused(502, 103, 'failed to start tunnel', `${words}${code === '' ? '' : `\r\n\r\n${code}\r\n`}`);
  }
}

function shown({ name, addr, listener, definition }: Tunnel): ShownTunnel {
  const { id, url, proto, options } = listener;
  return {
    name,
    id,
    url,
    proto,
    addr,
    inspect: definition.proto === 'http' && options.watch !== undefined,
    ...defined({
      upstreamProtocol: options.forwardsProto,
      bindings: options.bindings,
      metadata: options.metadata,
      description: options.description,
      poolingEnabled: options.poolingEnabled,
      trafficPolicy: options.trafficPolicy,
    }),
  };
}
