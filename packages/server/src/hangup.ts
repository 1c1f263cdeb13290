import process from 'node:process';
import { isatty } from 'node:tty';

/** SIGHUP has two meanings: an operator's "read your files again", and a closed terminal. */
export interface Hangups {
  /** What to do for an operator; until it is set, and after {@link end}, the signal is ignored. */
  onReload(reload: () => void): void;
  /** Resolves when the terminal that the server was started on is gone. */
  readonly terminalGone: Promise<string>;
  end(): void;
}

const STANDARD_STREAMS = [0, 1, 2];

export function watchHangups(): Hangups {
  let reload = (): void => {};
  const gone = Promise.withResolvers<string>();
  const startedOnTerminal = STANDARD_STREAMS.some((fd) => isatty(fd));
  const onHangup = (): void => {
    if (startedOnTerminal && !STANDARD_STREAMS.some((fd) => isatty(fd))) gone.resolve('the terminal was closed');
    else reload();
  };
  process.on('SIGHUP', onHangup);
  return {
    onReload(handler) {
      reload = handler;
    },
    terminalGone: gone.promise,
    end: () => void process.off('SIGHUP', onHangup),
  };
}
