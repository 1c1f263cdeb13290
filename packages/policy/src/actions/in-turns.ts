/** Searches that end at once where they can, and go on in slices, in turn with everybody else's, where they cannot. */
import { fail, type PosternError } from '@postern/errors';
import type { PolicyContext } from '../runtime.ts';
import type { Effort } from '../regex/effort.ts';
import type { Progress } from '../regex/replace-bytes.ts';

/** Characters that are read at once: half a millisecond at most, then two for each turn. */
const AT_FIRST = 50_000;
const SLICE = 200_000;

/** What is under way. */
export interface Searching {
  advance(effort: Effort): Progress;
}

/**
 * @param most bytes that what is made may have
 * @returns null when it is done
 */
export function inTurns(
  searching: Searching,
  { work, services, endpoint, conn, signal }: PolicyContext,
  most: number,
): PosternError | null | Promise<PosternError | null> {
  let problem: PosternError | null = null;
  const step = (units: number): boolean => {
    const given = Math.min(units, work.effortLeft);
    const effort = { left: given };
    const progress = searching.advance(effort);
    work.effortLeft -= given - effort.left;
    if (progress === 'more' && work.effortLeft > 0) return false;
    problem = progress === 'done' ? null : problemOf(progress, most);
    return true;
  };
  if (step(AT_FIRST)) return problem;
  const asker = { endpoint: endpoint.id, address: conn.clientIp };
  return services.slices
    .run(asker, () => step(SLICE), signal)
    .then((came) => {
      if (came === 'done') return problem;
      // Nobody waits for an answer whose visitor has left.
      return fail(came === 'busy' ? 90082 : 3903);
    });
}

function problemOf(progress: Exclude<Progress, 'done'>, most: number): PosternError {
  switch (progress) {
    case 'too-large':
      return fail(3904, { reason: `it would have more than ${most} bytes` });
    case 'no-room':
      return fail(3903);
    case 'too-much':
      return fail(90034, { reason: 'a match in a body is too long for its groups' });
    case 'more':
      return fail(90034, { reason: 'what they search bodies for took more steps than one request may cost' });
    default:
      return progress satisfies never;
  }
}
