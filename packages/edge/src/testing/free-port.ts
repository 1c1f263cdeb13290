/** Ports for what has to know its own before it listens, or comes back to it after a restart. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below those that systems give to who asks for any (and above 10080, which `fetch` refuses): nobody else comes by such a
 * port before its test listens, nor between the end of a server and the start of the next.
 */
const FROM = 10_100;
/** To 20,000. */
const [LANES, LANE] = [33, 300];
/**
 * Processes of tests that run beside each other, those of another run as well, have lanes of their own: a port that one
 * has found, and that its server does not listen on yet, is free in the eyes of the others. Whose a lane is says its
 * first port, which is held for as long as the process lives. One after another in a lane, they begin far apart.
 */
let lane: Promise<number> | null = null;
let next = (process.pid * 61) % (LANE - 1);

export async function freePort(): Promise<number> {
  const first = await (lane ??= takeLane());
  for (;;) {
    const port = first + 1 + next;
    next = (next + 1) % (LANE - 1);
    // oxlint-disable-next-line no-await-in-loop
    if (await isFree(port)) return port;
  }
}

/** @returns its first port */
async function takeLane(): Promise<number> {
  const nth = (index: number): number => FROM + (index % LANES) * LANE;
  for (let tried = 0; tried < LANES; tried++) {
    const first = nth(process.pid + tried);
    // oxlint-disable-next-line no-await-in-loop
    const holder = await listenAt(first);
    if (holder === null) continue;
    holder.unref();
    return first;
  }
  // More processes than lanes: two share one.
  return nth(process.pid);
}

async function isFree(port: number): Promise<boolean> {
  const probe = await listenAt(port);
  if (probe === null) return false;
  probe.close();
  await once(probe, 'close');
  return true;
}

async function listenAt(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return null;
  }
  return server;
}
