import process from 'node:process';
import { type AgentSession, type AgentStatus, connectAgent } from '@postern/agent';
import { type ServerPlace, findServer } from './find-server.ts';
import { listenOptions } from './listen-options.ts';
import { errorCodeOf, messageOf } from './problem.ts';
import type { Proto, ShareOptions } from './share-options.ts';
import { firstStopSignal } from './stop-signal.ts';
import { type TunnelLog, createTunnelLog } from './tunnel-log.ts';
import { UsageError } from './usage-error.ts';
import { VERSION } from './version.ts';

/** `postern http|tcp|tls`: shares one service until a signal, or until the server ends it. Sets the exit code. */
export async function share(proto: Proto, target: string, options: ShareOptions): Promise<void> {
  const stopped = firstStopSignal();
  const log = createTunnelLog(options.logFormat, options.logLevel);
  // A reader that leaves (`| head -1`) has what it wanted; the service stays shared.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await run(proto, target, options, log, stopped);
    process.exitCode = 0;
  } catch (error) {
    log.fatal(messageOf(error), errorCodeOf(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

async function run(
  proto: Proto,
  target: string,
  options: ShareOptions,
  log: TunnelLog,
  stopped: Promise<NodeJS.Signals>,
): Promise<void> {
  const wanted = await listenOptions(proto, target, options);
  const session = connect(await findServer(options), log);
  const binding = session.listen(wanted);
  // A listener that never came about is no failure of a stop.
  binding.catch(() => undefined);
  try {
    const listener = await Promise.race([binding, stopped.then(() => null)]);
    if (listener !== null) {
      log.online(listener.url, wanted.upstream, options.name);
      const error = await Promise.race([stopped.then(() => undefined), session.closed, listener.closed]);
      if (error !== undefined) throw error;
    }
    log.info({ obj: 'csess' }, 'session closing');
  } finally {
    await session.close();
  }
}

function connect(place: ServerPlace, log: TunnelLog): AgentSession {
  let wasOffline = false;
  const onStatus = ({ state, error, retryIn }: AgentStatus): void => {
    if (state === 'online') {
      log.info({ obj: 'tunnels.session' }, 'tunnel session started');
      log.info({ obj: 'csess' }, 'client session established');
      if (wasOffline) log.recovered();
      wasOffline = false;
    } else if (error !== undefined && retryIn !== undefined) {
      wasOffline = true;
      log.offline(error.message, retryIn);
    }
  };
  try {
    return connectAgent({
      serverAddr: place.address,
      ...(place.serverName === undefined ? {} : { serverName: place.serverName }),
      ...(place.ca === undefined ? {} : { ca: place.ca }),
      authtoken: place.authtoken,
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
