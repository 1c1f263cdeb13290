/**
 * Holds what costs memory: visitors who have been answered and stay, visitors who stop to read in mid-answer, or agents
 * without endpoints. Opens `first` of them, prints `open`, waits for a line on its input, opens the rest up to `count`,
 * prints `open`, and ends with the next line. Argument: JSON of HoldOrder.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { encodeRequestHead } from '@postern/protocol';
import { RawAgent } from '../../test/support/raw-agent.ts';
import type { HoldOrder } from '../scenarios/memory.ts';

const AT_ONCE = 20;
const MOST_TRIES = 5;

const order: HoldOrder = JSON.parse(process.argv[2] ?? '{}');
const secureContext = tls.createSecureContext();
const held: (Socket | RawAgent)[] = [];

function visitor(): Promise<Socket> {
  const request = encodeRequestHead('GET', order.path, ['Host', order.hostHeader, 'Accept-Encoding', 'gzip']);
  return new Promise((resolve, reject) => {
    const socket: Socket = order.tls
      ? tls.connect({
          host: order.host,
          port: order.port,
          servername: order.hostHeader,
          // Memory is measured, not the trust in a certificate made for this run.
          rejectUnauthorized: false,
          secureContext,
        })
      : net.connect({ host: order.host, port: order.port });
    socket.once(order.tls ? 'secureConnect' : 'connect', () => socket.write(request));
    socket.once('data', (chunk: Buffer) => {
      if (order.kind === 'stalled') socket.pause();
      if (chunk.toString('latin1').startsWith('HTTP/1.1 200')) resolve(socket);
      else reject(new Error(chunk.toString('latin1')));
    });
    socket.once('error', reject);
  });
}

async function agent(): Promise<RawAgent> {
  const { host, port, ca, authtoken } = order;
  const raw = await RawAgent.connect({ runtime: { agent_addr: `${host}:${port}` }, ca });
  const error = await raw.auth({ authtoken });
  if (error !== '') throw new Error(error);
  return raw;
}

/** On a busy machine a handshake may take longer than the server waits for it. */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
    }
  }
}

async function openUpTo(count: number): Promise<void> {
  const more = async (): Promise<void> => {
    while (held.length + opening < count) {
      opening += 1;
      const one = await patiently<Socket | RawAgent>(order.kind === 'agents' ? agent : visitor);
      opening -= 1;
      held.push(one);
    }
  };
  let opening = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, more));
  console.log('open');
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await openUpTo(order.first);
await lines.next();
await openUpTo(order.count);
await lines.next();
process.exit(0);
