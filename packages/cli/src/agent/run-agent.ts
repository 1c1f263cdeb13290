import process from 'node:process';
import { type AgentError, type AgentSession, type AgentStatus, connectAgent } from '@postern/agent';
import type { AgentConfig } from '../config/read-config.ts';
import { readAgentConfig } from '../config/agent-config.ts';
import type { Console } from '../console/console.ts';
import type { Inspector } from '@postern/inspector';
import type { Definition } from '../config/definitions.ts';
import { type ServerPlace, findServer } from '../find-server.ts';
import type { AgentFlags } from '../flags/agent-flags.ts';
import { codeOf, messageOf } from '../problem.ts';
import { firstStopSignal } from '../stop-signal.ts';
import { createTunnelLog, type LogLevel, type TunnelLog } from '../tunnel-log.ts';
import { bothWatch, watchForRefusedHosts } from '../host-help/host-help.ts';
import { UsageError } from '../usage-error.ts';
import { VERSION } from '../version.ts';
import { defined } from '../defined.ts';
import { proxyChooser } from './choose-proxy.ts';
import { levelFor, openLog, whereLinesGo } from './open-log.ts';
import { type Running, startLocalApi, watchOf } from './local-api.ts';
import { AgentTunnels, prepare, type Prepared, type Tunnel, type TunnelsEvents } from './tunnels.ts';

export interface AgentCommand {
  /** `start`: endpoints of the configuration, maybe none; else the one that was typed. */
  readonly isStart: boolean;
  readonly flags: AgentFlags;
  /** What to start, of the configuration or of what was typed. @throws UsageError */
  readonly endpoints: (config: AgentConfig) => readonly Definition[];
  /** What is to be typed otherwise today. */
  readonly older: readonly string[];
}

/** Runs the agent until a signal, or until the server ends it. Sets the exit code (agent-and-ux.md §1.6). */
export async function runAgent(command: AgentCommand): Promise<void> {
  const stopped = firstStopSignal();
  // A reader that leaves (`| head -1`) has what it wanted; the service stays shared.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let log = createTunnelLog(command.flags.logFormat ?? 'term', command.flags.logLevel ?? 'info');
  let close = async (): Promise<void> => {};
  try {
    const config = await readAgentConfig(command.flags, { foreign: command.isStart });
    const { settings } = config;
    const where = whereLinesGo(command.flags, settings, {
      isStart: command.isStart,
      isTerminal: process.stdout.isTTY,
    });
    const level = levelFor(command.flags, settings);
    const drawn = await consoleFor(where, level);
    const opened = openLog(where, command.flags, settings, drawn ?? createTunnelLog('term', level));
    log = opened.log;
    close = async () => {
      drawn?.close();
      await opened.close();
    };
    for (const words of command.older) log.warn({}, words);
    await run(command, config, log, drawn, stopped);
    process.exitCode = 0;
  } catch (error) {
    log.fatal(messageOf(error), codeOf(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } finally {
    await close();
  }
}

async function run(
  command: AgentCommand,
  config: AgentConfig,
  log: TunnelLog,
  drawn: Console | undefined,
  stopped: Promise<NodeJS.Signals>,
): Promise<void> {
  const wanted = await Promise.all(command.endpoints(config).map(prepare));
  const { settings } = config;
  let chosen = '';
  const place = await findServer(command.flags, {
    settings,
    say(words) {
      if (chosen === '') chosen = words;
      else log.info({ obj: 'csess' }, words);
    },
  });
  const running: Running = {
    session: undefined,
    tunnels: undefined,
    region: '',
    facts: [
      ['Server', place.addresses.join(', ')],
      ['Configuration', config.files.join(', ') || 'none'],
    ],
  };
  const inspector = await startLocalApi(command.flags.webAddr, settings, running, log);
  try {
    await serve(command, config, wanted, { place, chosen, running, inspector, log, drawn, stopped });
  } finally {
    await inspector.close();
  }
}

/** What one run of the agent is made of. */
interface Run {
  readonly place: ServerPlace;
  readonly chosen: string;
  readonly running: Running;
  readonly inspector: Inspector;
  readonly log: TunnelLog;
  /** The console, where there is one. */
  readonly drawn: Console | undefined;
  readonly stopped: Promise<NodeJS.Signals>;
}

async function serve(
  command: AgentCommand,
  config: AgentConfig,
  wanted: readonly Prepared[],
  { place, chosen, running, inspector, log, drawn, stopped }: Run,
): Promise<void> {
  const session = connect(command.flags, place, config, log, chosen, running, drawn);
  running.session = session;
  drawn?.follow({
    web: inspector.addr,
    latency: () => session.latency,
    connections: () => inspector.metrics().conns,
    requests: (count) => inspector.recent(count),
    onNews: (listener) => inspector.onRequest(listener),
  });
  const ended = Promise.withResolvers<AgentError | undefined>();
  const tunnels = new AgentTunnels(session, log, {
    watch: watchesOf(inspector, log),
    onEnded(tunnel, error) {
      // The one endpoint of `postern http` is the command; of several the others go on.
      if (!command.isStart) ended.resolve(error);
      else log.warn({ obj: 'tunnels', name: tunnel.name, err: error?.message ?? 'closed' }, 'stopped tunnel');
    },
  });
  running.tunnels = tunnels;
  const starting = (async () => {
    for (const prepared of wanted) {
      const started = await tunnels.start(prepared);
      if (prepared.definition.options.qr === true) await showCodes(started, drawn);
    }
  })();
  // Endpoints that never came about are no failure of a stop.
  starting.catch(() => undefined);
  try {
    const signal = await Promise.race([starting, stopped]);
    if (signal === undefined) {
      const error = await Promise.race([stopped.then(() => undefined), session.closed, ended.promise]);
      if (error !== undefined) throw error;
    }
    log.info({ obj: 'csess' }, 'session closing');
  } finally {
    await session.close();
  }
}

function connect(
  flags: AgentFlags,
  place: ServerPlace,
  { settings }: AgentConfig,
  log: TunnelLog,
  chosen: string,
  running: Running,
  drawn: Console | undefined,
): AgentSession {
  let wasOffline = false;
  const onStatus = ({ state, error, retryIn, server }: AgentStatus): void => {
    if (state === 'online') {
      running.region = server?.region ?? '';
      drawn?.know({ server: chosen, account: server?.accountName ?? '', region: server?.region ?? '' });
      log.info({ obj: 'tunnels.session', server: chosen }, 'tunnel session started');
      log.info({ obj: 'csess' }, 'client session established');
      if (wasOffline) log.recovered();
      wasOffline = false;
    } else if (error !== undefined && retryIn !== undefined) {
      wasOffline = true;
      log.offline(error.message, retryIn);
    }
  };
  const { connect_timeout: connectTimeout, heartbeat_interval: interval, heartbeat_tolerance: tolerance } = settings;
  try {
    return connectAgent({
      serverAddr: place.addresses,
      proxy: proxyChooser(flags.proxyUrl ?? settings.proxy_url),
      ...defined({
        sessions: flags.sessions ?? settings.sessions,
        resolvers: settings.dns_resolver_ips,
        networkInterface: settings.connect_interface,
      }),
      ...(place.serverName === undefined ? {} : { serverName: place.serverName }),
      ...(place.ca === undefined ? {} : { ca: place.ca }),
      authtoken: place.authtoken,
      ...(settings.metadata === undefined ? {} : { metadata: settings.metadata }),
      ...(settings.remote_management === false ? { managed: false } : {}),
      ...(connectTimeout === undefined ? {} : { connectTimeout }),
      ...(interval === undefined ? {} : { heartbeatInterval: interval }),
      ...(tolerance === undefined ? {} : { heartbeatTolerance: tolerance }),
      userAgent: `postern/${VERSION}`,
      agentVersion: VERSION,
      log,
      onStatus,
    });
  } catch (cause) {
    // Thrown at once: the address or the authority cannot be used at all.
    throw new UsageError(messageOf(cause), { cause });
  }
}

/** A terminal gets a console, unless lines have its place or everything is wanted in order. */
async function consoleFor(where: string, level: LogLevel): Promise<Console | undefined> {
  const canDraw = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && level !== 'debug';
  if (where === 'stdout' || !canDraw) return undefined;
  const { Console: Drawn } = await import('../console/console.ts');
  return new Drawn();
}

/** The inspector watches, and the eye for services that refuse the public name. */
function watchesOf(inspector: Inspector, log: TunnelLog): TunnelsEvents['watch'] {
  const inspected = watchOf(inspector);
  return (name, definition) => {
    const watch = inspected(name, definition);
    const { proto, options } = definition;
    if (proto !== 'http' || options.inspect === false || options.older?.hostHeader !== undefined) return watch;
    return bothWatch(
      watch,
      watchForRefusedHosts((words) => log.warn({ obj: 'tunnels', name }, words)),
    );
  };
}

async function showCodes(tunnels: readonly Tunnel[], drawn: Console | undefined): Promise<void> {
  const { renderUnicodeCompact } = await import('uqr');
  for (const { listener } of tunnels) {
    const code = renderUnicodeCompact(listener.url);
    if (drawn === undefined) process.stdout.write(`${code}\n`);
    else drawn.keep(code);
  }
}
