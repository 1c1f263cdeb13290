/** Runs in a thread of its own: one bcrypt comparison holds a core for a tenth of a second. */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import type { Question } from './bcrypt.ts';

parentPort?.on('message', ({ id, password, hash }: Question) => {
  let matches = false;
  try {
    matches = compareSync(password, hash);
  } catch {
    // A hash that cannot be read matches nothing.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
  parentPort?.postMessage({ id, matches });
});
