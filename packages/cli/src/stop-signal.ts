import process from 'node:process';

/** A terminal sends Ctrl+C to the whole process group, and launchers pass it on: the echo is not a second wish. */
const ECHO_MS = 1000;

/**
 * Resolves at the first SIGINT or SIGTERM, with its name. One more, later than an echo could be, ends the process at
 * once with exit code 1: whoever asks twice does not want to wait for what is in flight.
 */
export function firstStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAt: number | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (askedAt === null) {
        askedAt = performance.now();
        resolve(signal);
      } else if (performance.now() - askedAt > ECHO_MS) {
        process.stderr.write('postern: asked to stop again, ending now; what was in flight is cut\n');
        process.exit(1);
      }
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
