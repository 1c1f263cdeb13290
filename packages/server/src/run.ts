import process from 'node:process';
import { StoreRefused } from '@postern/store';
import { banner } from './banner.ts';
import { ConfigError } from './config/config-error.ts';
import { movedToFreePorts } from './config/demo-ports.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type Demo, startDemo } from './demo/demo.ts';
import { createLogger } from './log.ts';
import { type Platform, startPlatform } from './platform.ts';

export interface RunOptions {
  readonly config: ServerConfig;
  readonly version: string;
  readonly demo: boolean;
  readonly resetCredentials: boolean;
}

/** A terminal sends Ctrl+C to the whole process group, and launchers pass it on: the echo is not a second wish. */
const ECHO_MS = 1000;

/**
 * `postern server`: starts the platform, prints what to open, runs until a signal, stops in order.
 * @returns the exit code: 0 after a clean stop, 1 when it could not start, 2 for a setting that cannot be used
 */
export async function runServer(options: RunOptions): Promise<number> {
  const log = createLogger({ format: options.config.logFormat, level: options.config.logLevel });
  const stopWish = waitForStop(log);
  let config = options.config;
  if (options.demo) {
    const moved = await movedToFreePorts(config);
    config = moved.config;
    for (const move of moved.moves) log.warn({ sub: 'demo' }, move);
  }
  let platform: Platform;
  try {
    platform = await startPlatform({
      config,
      version: options.version,
      log,
      resetCredentials: options.resetCredentials,
      now: Date.now,
      random: Math.random,
    });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StoreRefused) {
      process.stderr.write(`postern server: ${error.message}\n`);
      return error instanceof ConfigError ? 2 : 1;
    }
    throw error;
  }
  const onHangup = (): void => {
    try {
      platform.reload();
      log.info({}, 'certificates were read again');
    } catch (error) {
      log.error({ err: error }, 'certificates could not be read again; the old ones stay in use');
    }
  };
  process.on('SIGHUP', onHangup);
  let demo: Demo | null = null;
  try {
    if (options.demo) demo = await startDemo(platform, log.child({ sub: 'demo' }));
    process.stdout.write(banner(platform, demo));
    const signal = await stopWish;
    log.info({ signal }, 'stopping');
  } finally {
    await demo?.stop();
    await platform.stop();
    process.off('SIGHUP', onHangup);
  }
  log.info({}, 'stopped');
  return 0;
}

/** Resolves at the first SIGINT or SIGTERM; one more, later, ends the process at once. */
function waitForStop(log: { warn(fields: object, message: string): void }): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (first === 0) {
        first = Date.now();
        resolve(signal);
      } else if (Date.now() - first > ECHO_MS) {
        log.warn({ signal }, 'asked to stop again: ending now, what is in flight is cut');
        process.exit(1);
      }
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
