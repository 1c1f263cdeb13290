/**
 * An edge in a process of its own, for tests: what control and edge say to each other crosses the process's channel, and
 * beside it what a test asks of the edge. Run by `edge-under-test.ts`.
 */
import process from 'node:process';
import { connectControl, overProcess, Peer, split } from '@postern/link/wire';
import type { EdgeConfig } from '../context.ts';
import { createEdge, type Edge } from '../edge.ts';
import { SILENT_LOG } from './fixtures.ts';

const channels = split(overProcess(process), ['link', 'test']);
const link = connectControl(channels.link);
let edge: Edge | null = null;

function made(): Edge {
  if (edge === null) throw new Error('it was not made yet');
  return edge;
}

const test: Peer = new Peer(
  channels.test,
  {
    create(config: EdgeConfig) {
      edge = createEdge({ config, link, log: SILENT_LOG, now: Date.now, random: Math.random });
    },
    async start() {
      const addresses = setInterval(() => test.tell('addresses', made().addresses), 5);
      try {
        await made().start();
      } finally {
        clearInterval(addresses);
        test.tell('addresses', made().addresses);
      }
    },
    stop: () => made().stop(),
    stats: () => made().stats(),
  },
  () => process.exit(0),
);
