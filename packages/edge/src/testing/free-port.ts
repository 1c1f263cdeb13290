/** Ports for what has to know its own before it listens, or comes back to it after a restart. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that systems give to who asks for any (and above 10080, which `fetch` refuses): nobody else comes by such a
 * port before its test listens, nor between the end of a server and the start of the next.
 */
const FROM = 10_100;
/** To 20,000. */
const [LANES, LANE] = [33, 300];
/**
 * Processes of tests that run beside each other have lanes of their own: a port that one has found, and that its server
 * does not listen on yet, is free in the eyes of the others. One after another in a lane, they begin far apart.
 */
const lane = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % LANES;
let next = (process.pid * 61) % LANE;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + lane * LANE + next;
    next = (next + 1) % LANE;
    // oxlint-disable-next-line no-await-in-loop
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
