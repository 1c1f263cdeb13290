import process from 'node:process';

/** What the user typed cannot be meant: exit code 2, while what goes wrong at run time is 1 (agent-and-ux.md §1.6). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a command; what it refuses is said on stderr, with exit code 2. */
export async function onUsageErrors(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`postern ${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
}
