/** grpc-go's own interoperability cases, and calls in a tight loop, over each kind of endpoint. */
import assert from 'node:assert/strict';
import type { Client } from '../harness/client.ts';
import { goProgram } from '../harness/go.ts';
import { isWanted } from '../harness/arguments.ts';
import { ANSWER_MS, type Fields, Program } from '../harness/program.ts';
import type { Report } from '../harness/report.ts';
import { World } from '../harness/world.ts';
import { splitAddress } from '../../support/platform.ts';

const CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'custom_metadata',
  'status_code_and_message',
  'special_status_message',
] as const;

/** Of each loop; POSTERN_CLIENTS_LOAD makes it longer. */
const LOOP_MS = 3_000 * Number(process.env['POSTERN_CLIENTS_LOAD'] ?? '1');
const BIG = 4 * 1024 * 1024;

interface Route {
  readonly name: string;
  /** What the server is asked for. */
  readonly fields: (world: World, host: string) => Promise<Fields> | Fields;
}

const ROUTES: readonly Route[] = [
  { name: 'https', fields: (_world, host) => ({ proto: 'https', url: `https://${host}` }) },
  { name: 'tls at edge', fields: (_world, host) => ({ proto: 'tls', url: `tls://${host}`, tls: 'edge' }) },
  {
    name: 'tls at agent',
    fields: async (world, host) => ({
      proto: 'tls',
      url: `tls://${host}`,
      tls: 'agent',
      ...(await world.keyFiles(host)),
    }),
  },
  { name: 'tcp', fields: () => ({ proto: 'tcp' }) },
];

/** How a visitor reaches the endpoint: address, and the name and authority of its TLS. */
interface Way {
  readonly address: string;
  readonly server_name?: string;
  readonly ca?: string;
}

export const GRPC: Client = {
  language: 'grpc',
  name: 'grpc-go',
  tools: ['go'],
  run: async (report) => {
    const command = await goProgram('go-grpc');
    const world = await World.start();
    const server = new Program(command);
    try {
      for (const route of ROUTES) {
        const host = world.host();
        const fields = await route.fields(world, host);
        const visitor = new Program(command);
        try {
          const way = await serve(world, server, host, fields);
          await duties(report, route.name, visitor, way);
          if (route.name === 'https') await ageing(report, world, server, visitor);
        } finally {
          await visitor.stop();
        }
      }
    } finally {
      await server.stop();
      await world.dispose();
    }
  },
};

async function serve(world: World, server: Program, host: string, fields: Fields): Promise<Way> {
  const asked = { address: world.agentAddress, ca: world.caFile, authtoken: world.platform.authtoken, ...fields };
  const { url } = await server.call('serve', asked);
  if (fields['proto'] === 'tcp') return { address: `127.0.0.1:${new URL(url).port}` };
  const [, port] = splitAddress(world.platform.runtime.https_addr);
  return { address: `127.0.0.1:${port}`, server_name: host, ca: fields['cert'] ?? world.caFile };
}

async function duties(report: Report, route: string, visitor: Program, way: Way): Promise<void> {
  const run = (duty: string, work: () => Promise<unknown>): Promise<unknown> =>
    runDuty(report, `${route}: ${duty}`, work);
  await run('interop cases', async () => {
    for (const name of CASES) await visitor.call('case', { ...way, case: name });
  });
  for (const workers of [1, 3, 16]) await run(`unary, ${workers} at once`, () => loop(visitor, way, workers));
  await run('4 MB messages', async () => {
    const { bytes, echoed } = await visitor.call('big', { ...way, bytes: BIG });
    assert.deepEqual([bytes, echoed], [BIG, ['large']]);
  });
}

function runDuty(report: Report, duty: string, work: () => Promise<unknown>): Promise<unknown> {
  return isWanted(duty) ? report.run(GRPC.name, duty, work) : Promise.resolve();
}

async function loop(visitor: Program, way: Way, workers: number): Promise<string> {
  const asked = { ...way, workers, ms: LOOP_MS };
  const { calls, lost, first, cuts, dials } = await visitor.call('loop', asked, LOOP_MS + ANSWER_MS);
  assert.ok(calls > 0);
  assert.deepEqual({ lost, cuts, dials, first }, { lost: 0, cuts: 0, dials: 1, first: '<nil>' });
  return `${calls} calls in ${LOOP_MS / 1_000} s, ${lost} lost, ${cuts} connections cut`;
}

/** A service that ends its connections in order every second: what it left untouched is tried again. */
async function ageing(report: Report, world: World, server: Program, visitor: Program): Promise<void> {
  await runDuty(report, 'https: connections that age', async () => {
    const host = world.host();
    const way = await serve(world, server, host, {
      proto: 'https',
      url: `https://${host}`,
      max_connection_age_ms: 1_000,
    });
    const asked = { ...way, workers: 3, ms: LOOP_MS };
    const { calls, lost, first } = await visitor.call('loop', asked, LOOP_MS + ANSWER_MS);
    assert.ok(calls > 0);
    assert.deepEqual({ lost, first }, { lost: 0, first: '<nil>' });
  });
}
