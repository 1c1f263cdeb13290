/**
 * What those cost who do nothing: resident bytes of the server for each of many, its garbage collected before and after.
 * The first hundred or so are not counted, so that what is there once is not either.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { repositoryRoot, splitAddress } from '../../test/support/platform.ts';
import { canMeasureCpu, Child, type Measured } from '../children.ts';
import type { LoadTarget } from '../load.ts';
import { Postern } from '../postern.ts';
import { Missing, PATIENT, type Stage } from '../stage.ts';
import type { Figure, Scenario } from './scenario.ts';

export interface HoldOrder extends LoadTarget {
  readonly kind: 'answered' | 'stalled' | 'agents';
  readonly first: number;
  readonly count: number;
  readonly ca: string;
  readonly authtoken: string;
}

/** Beyond what a kept stream into an agent is kept for, so that idle means idle. */
const SETTLE_MS = 6_000;
const OPEN_MS = 180_000;
const BULK = '/down/4000000000';
/**
 * V8's young generation grows and shrinks by tens of megabytes from one look to the next, whatever is held: it stays at
 * 2 MiB for each half here.
 */
const YOUNG = '--max-semi-space-size=2';

const VISITORS = { first: 1_000, count: 10_000 };
const SECURE_VISITORS = { first: 500, count: 3_000 };
const AGENTS = { first: 200, count: 2_000 };
const READERS = { first: 4, count: 36 };

type Where = Pick<HoldOrder, 'kind' | 'first' | 'count'> & LoadTarget;

export const MEMORY: readonly Scenario[] = [
  {
    id: 'idle-visitors',
    group: 'memory',
    title: 'idle visitors, answered and kept',
    run: async (stage) => {
      const postern = await collecting(stage, 'visitors');
      const { target } = await postern.share({ name: 'bench-http', scheme: 'http' });
      const other = await collecting(stage, 'visitors over TLS');
      const secure = await other.share({ name: 'bench-https', scheme: 'https' });
      return [
        await kilobytes(postern, 'idle visitor over http', { ...target, kind: 'answered', ...VISITORS }, 12),
        await kilobytes(
          other,
          'idle visitor over https',
          { ...secure.target, kind: 'answered', ...SECURE_VISITORS },
          null,
        ),
      ];
    },
  },
  {
    id: 'idle-agents',
    group: 'memory',
    title: 'idle agent sessions',
    run: async (stage) => {
      const postern = await collecting(stage, 'agents');
      const [host, port] = splitAddress(postern.platform.runtime.agent_addr);
      const where = { host, port, path: '/', hostHeader: '', tls: true, kind: 'agents', ...AGENTS } as const;
      return [await kilobytes(postern, 'idle agent session', where, 60)];
    },
  },
  {
    id: 'stalled-readers',
    group: 'memory',
    title: 'visitors who stop to read',
    run: async (stage) => {
      const postern = await collecting(stage, 'readers');
      const other = await collecting(stage, 'readers of packed bodies');
      const plain = await postern.share({ name: 'bench-stalled', scheme: 'http' });
      const policy = { on_http_response: [{ actions: [{ type: 'compress-response', config: {} }] }] };
      const packed = await other.share({ name: 'bench-packed', scheme: 'http', policy });
      const order = (target: LoadTarget): Where => ({ ...target, path: BULK, kind: 'stalled', ...READERS });
      return [
        await kilobytes(postern, 'stalled reader', order(plain.target), 1_200),
        await kilobytes(other, 'stalled reader, compressed', order(packed.target), 1_500),
      ];
    },
  },
];

/** A platform that collects its garbage when it is told to: one for each figure, since what one has freed another takes. */
function collecting(stage: Stage, name: string): Promise<Postern> {
  if (!canMeasureCpu) throw new Missing('resident memory can only be read on Linux');
  const collector = pathToFileURL(path.join(repositoryRoot, 'bench', 'parts', 'collector.ts')).href;
  return stage.once(
    `for ${name}`,
    async () =>
      Postern.start({
        upstreamPort: await stage.upstream(),
        nodeFlags: [YOUNG, `--import=${collector}`],
        root: repositoryRoot,
        // Nobody of those who are held is refused because the machine has much to do.
        args: ['--max-connections-per-ip=20000', '--stall-timeout=600', PATIENT],
      }),
    (postern) => postern.stop(),
  );
}

async function kilobytes(postern: Postern, text: string, where: Where, aim: number | null): Promise<Figure> {
  const { ca, authtoken } = postern.platform;
  const order: HoldOrder = { ...where, ca, authtoken };
  const child = Child.part('holder', JSON.stringify(order), true);
  try {
    await child.lineWith('open', OPEN_MS);
    const before = await residentBytes(postern.server);
    child.say('more');
    await child.lineWith('open', OPEN_MS);
    const after = await residentBytes(postern.server);
    return { text, value: (after - before) / (where.count - where.first) / 1_000, unit: 'kB', aim };
  } finally {
    await child.stop('SIGKILL');
    // Nobody is to be measured while they leave.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function residentBytes({ pids: [pid = 0] }: Measured): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  process.kill(pid, 'SIGUSR2');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024;
}
