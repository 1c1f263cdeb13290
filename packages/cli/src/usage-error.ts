/** What the user typed cannot be meant: exit code 2, while what goes wrong at run time is 1 (agent-and-ux.md §1.6). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
