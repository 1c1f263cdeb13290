import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { StoreRefused } from '@postern/store';
import { givenSockets } from './listeners/activation.ts';
import { banner } from './banner.ts';
import { ConfigError } from './config/config-error.ts';
import { movedToFreePorts } from './config/demo-ports.ts';
import type { ServerConfig } from './config/server-config.ts';
import type { Demo } from './demo/demo.ts';
import { Doors } from './listeners/doors.ts';
import { watchHangups } from './hangup.ts';
import { Handover } from './handover.ts';
import { spreadLastNet } from './last-net.ts';
import { createLogger, type Logger } from './log.ts';
import type { Platform } from './platform.ts';
import { keepGarbageYoung } from './young-garbage.ts';

export interface RunOptions {
  readonly config: ServerConfig;
  readonly version: string;
  /** How this command is typed: `postern`, or `npx postern` in a clone. */
  readonly command: string;
  readonly demo: boolean;
  readonly resetCredentials: boolean;
  /** Resolves, with the reason, when the server is to stop. */
  readonly stop: Promise<string>;
}

/**
 * `postern server`: starts the platform, prints what to open, runs until told to stop, stops in order.
 * @returns the exit code: 0 after a clean stop, 1 when the database cannot be used, 2 for a setting that cannot be used
 */
export async function runServer(options: RunOptions): Promise<number> {
  const log = createLogger({ format: options.config.logFormat, level: options.config.logLevel });
  keepGarbageYoung();
  keepWithoutReaders();
  const net = spreadLastNet(log);
  const hangups = watchHangups();
  try {
    const config = options.demo ? await demoConfig(options.config, log) : options.config;
    const platform = await start(config, options, log);
    hangups.onReload(() => reload(platform, log));
    const demo = options.demo ? await publishDemo(platform, log) : null;
    if (demo !== null) await platform.showWebVisitors(`${demo.helloUrl.https}/`);
    await platform.announce();
    net.up();
    process.stdout.write(banner(platform, demo, options.command));
    // For the next start, should this process be killed.
    setImmediate(flushCompileCache);
    const reason = await Promise.race([options.stop, hangups.terminalGone]);
    log.info({ reason }, 'stopping');
    // Side by side: what visitors have open at the demo must not hold up the drain.
    await Promise.all([platform.stop(), demo?.stop()]);
    log.info({}, 'stopped');
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error, 2);
    if (error instanceof StoreRefused) return refuse(error, 1);
    throw error;
  } finally {
    net.end();
    hangups.end();
  }
}

/** The doors open first; only then is the rest loaded, which takes half a second. */
async function start(config: ServerConfig, options: RunOptions, log: Logger): Promise<Platform> {
  const handover = new Handover(config.dataDir);
  const given = await givenSockets(process.env, process.pid, config);
  const doors = await Doors.open({ config, given, tryAgain: () => handover.yields() });
  try {
    const { startPlatform } = await import('./platform.ts');
    const { version, resetCredentials } = options;
    return await startPlatform({
      config,
      version,
      log,
      doors,
      handover,
      resetCredentials,
      now: Date.now,
      random: Math.random,
    });
  } catch (error) {
    doors.close();
    throw error;
  }
}

async function demoConfig(config: ServerConfig, log: Logger): Promise<ServerConfig> {
  // What one who is leaving still holds will be free.
  if (new Handover(config.dataDir).holder()?.state === 'stopping') return config;
  const moved = await movedToFreePorts(config);
  for (const move of moved.moves) log.warn({ sub: 'demo' }, move);
  return moved.config;
}

/** A demo that cannot be published (its names may be taken by now) is no reason not to serve. */
async function publishDemo(platform: Platform, log: Logger): Promise<Demo | null> {
  const demoLog = log.child({ sub: 'demo' });
  const { startDemo } = await import('./demo/demo.ts');
  try {
    return await startDemo(platform, demoLog);
  } catch (error) {
    demoLog.error({ err: error }, 'the demo could not be published; the server runs without it');
    return null;
  }
}

function reload(platform: Platform, log: Logger): void {
  try {
    platform.reload();
    log.info({}, 'certificates were read again');
  } catch (error) {
    log.error({ err: error }, 'certificates could not be read again; the old ones stay in use');
  }
}

function refuse(error: Error, code: number): number {
  process.stderr.write(`postern server: ${error.message}\n`);
  return code;
}

/** Whoever read our output may leave; visitors must not notice. */
function keepWithoutReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
