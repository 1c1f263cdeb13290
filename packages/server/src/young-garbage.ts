import { setFlagsFromString } from 'node:v8';

/**
 * For a process that serves visitors, before it does. V8 makes objects old at once where most of those that the same
 * line made before have survived a collection, and nearly all that survives here belongs to requests under way. What is
 * made old dies as soon, and is collected last: until the next full collection it keeps what it points to, streams with
 * all that a request was (docs/performance.md).
 */
export function keepGarbageYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
