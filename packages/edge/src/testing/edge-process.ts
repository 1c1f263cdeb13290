/**
 * An edge in a process of its own, for tests: what control and edge say to each other crosses the process's channel, and
 * beside it what a test asks of the edge. Run by `edge-under-test.ts`.
 */
import process from 'node:process';
import { connectControl, overProcess, Peer, split } from '@postern/link/wire';
import type { EdgeConfig } from '../context.ts';
import { createEdge, type Edge } from '../edge.ts';
import { SILENT_LOG } from './fixtures.ts';
import { boundAddresses, openListeners, type TestAddresses } from './open-listeners.ts';

const channels = split(overProcess(process), ['link', 'test']);
const link = connectControl(channels.link);
let edge: Edge | null = null;

function made(): Edge {
  if (edge === null) throw new Error('it was not made yet');
  return edge;
}

// oxlint-disable-next-line no-new
new Peer(
  channels.test,
  {
    async create(config: EdgeConfig, wanted: TestAddresses) {
      const listeners = await openListeners(wanted);
      edge = createEdge({ config, link, listeners, log: SILENT_LOG, now: Date.now, random: Math.random });
      return boundAddresses(listeners);
    },
    start: () => made().start(),
    stop: () => made().stop(),
    stats: () => made().stats(),
  },
  () => process.exit(0),
);
