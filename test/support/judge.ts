/**
 * Judges are programs and means that not every machine has: another agent's binary, a network namespace, a disk that
 * can be filled. A test that lacks one is skipped, with its name and the reason printed; with POSTERN_REQUIRE_JUDGES=1
 * (as in `.ci/run`) lacking one is a failure.
 */

/** Call when `name` cannot judge here because of `reason`, then skip. @throws where judges are required */
export function requireJudge(name: string, reason: string): void {
  if (process.env['POSTERN_REQUIRE_JUDGES'] === '1') {
    throw new Error(`${name} is required here (POSTERN_REQUIRE_JUDGES=1), but: ${reason}`);
  }
  // Through the runner, which repeats it beside the tests that it concerns.
  console.warn(`skipped: ${name}: ${reason}`);
}
