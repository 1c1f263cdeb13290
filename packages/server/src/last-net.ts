/**
 * What no guard has caught. Every callback into a connection has one (edge/src/guard.ts), and whatever is asked of
 * control, store or API is a promise whose failure is an answer; so what comes here was interrupted in nobody's work: an
 * event without a listener, a promise that nobody awaited. It is logged, counted, and the server goes on, since ending
 * it would end every visitor for the mistake of one.
 *
 * It does not go on where nothing can be relied upon any more: before the server is up, when the runtime has found its
 * own state to be wrong, or when memory is gone.
 */
import process from 'node:process';
import type { Logger } from './log.ts';

/** sysexits.h EX_SOFTWARE: whoever supervises starts it again. */
export const BROKEN_EXIT_CODE = 70;
const BROKEN = new Set([
  'ERR_INTERNAL_ASSERTION',
  'ERR_WORKER_OUT_OF_MEMORY',
  'ERR_MEMORY_ALLOCATION_FAILED',
  'ENOMEM',
]);

export interface LastNet {
  /** From now on the server serves, and goes on. */
  up(): void;
  /** Takes the net away. */
  end(): void;
}

/** Mistakes that came to the last net since the start of the process. */
export const uncaught = { count: 0 };

export function spreadLastNet(log: Logger, exit: (code: number) => void = (code) => process.exit(code)): LastNet {
  let up = false;
  const caught = (error: unknown, origin: string): void => {
    uncaught.count += 1;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (up && !isBroken(error)) {
      log.error({ error: stack, origin }, 'a mistake inside the server that nothing had to catch; it goes on');
      return;
    }
    // Written at once: a log may still wait for its turn when the process ends.
    process.stderr.write(`postern server: ended by a mistake inside it (${origin})\n${stack}\n`);
    exit(up ? BROKEN_EXIT_CODE : 1);
  };
  process.on('uncaughtException', caught);
  return {
    up: () => {
      up = true;
    },
    end: () => {
      process.off('uncaughtException', caught);
    },
  };
}

function isBroken(error: unknown): boolean {
  if (error instanceof RangeError && error.message.includes('allocation failed')) return true;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && BROKEN.has(error.code);
}
