import { fail } from '@postern/errors';
import type { Core } from '../core.ts';
import type { Held } from './value.ts';

/**
 * Waits until the edge has a change that is already committed. When the edge refuses (a TCP port that something else
 * holds) or stays silent, the change is taken back and the caller gets 90027.
 */
export async function putOnline(core: Core, url: string, { online, undo }: Held): Promise<void> {
  try {
    await online;
  } catch (error) {
    core.log.warn({ url, error: messageOf(error) }, 'the edge could not take an endpoint; it is taken back');
    await undo();
    throw fail(90027, { url, reason: messageOf(error) }, { cause: error });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits until the edge has a change that cannot be undone for its sake: what is deleted stays deleted. */
export async function settle(core: Core, applied: Promise<void>): Promise<void> {
  try {
    await applied;
  } catch (error) {
    core.log.error({ error: messageOf(error) }, 'the edge did not confirm a change');
  }
}
