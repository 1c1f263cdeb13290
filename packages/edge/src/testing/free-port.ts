/** Ports for what has to know its own before it listens, or comes back to it after a restart. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that systems give to who asks for any (and above 10080, which `fetch` refuses): nobody else comes by such a
 * port before its test listens, nor between the end of a server and the start of the next.
 */
const [FROM, TO] = [10_100, 20_000];
/** Processes that run beside each other begin far apart, and pass over each other's ports. */
let next = (process.pid * 61) % (TO - FROM);

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + next;
    next = (next + 1) % (TO - FROM);
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
