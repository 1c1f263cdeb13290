/** Random conversations with a registry, for comparing two of them answer by answer. */
import * as fc from 'fast-check';
import {
  addressKey,
  type Cluster,
  NodeFenced,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryChange,
  type Snapshot,
} from '../types.ts';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './records.ts';

/** Nodes on one registry, and their clock. */
export interface Nodes {
  readonly at: Registry[];
  readonly cluster: Cluster;
  readonly advance: (ms: number) => void;
}

/** One call of one of the nodes and its answer; errors of the interface are answers by their name. */
interface Command {
  readonly text: string;
  readonly run: (nodes: Nodes) => Promise<unknown>;
}

const NAMES = ['node-1', 'node-2'] as const;
/** Of the leases in these conversations. */
export const LEASE_MS = 100;

export async function nodesOn(cluster: Cluster, advance: (ms: number) => void): Promise<Nodes> {
  return { cluster, advance, at: await Promise.all(NAMES.map((name) => cluster.join(name))) };
}

const account = fc.constantFrom('ac_1', 'ac_2');
const sessionId = fc.constantFrom('ts_1', 'ts_2', 'ts_3');
const tunnelId = fc.constantFrom('tn_1', 'tn_2', 'tn_3', 'tn_4', 'tn_5');
const bindId = fc.constantFrom('b1', 'b2');
const clientId = fc.constantFrom('', 'c1', 'c2');
const leg = fc.constantFrom(0, 1);
// Names and values that would run into one another if keys were joined carelessly, and one that every object has.
const labels = fc.dictionary(fc.constantFrom('a', 'ab', 'toString'), fc.constantFrom('', 'x', 'bx', '1:a'), {
  maxKeys: 2,
});
const address = fc.record({
  scheme: fc.constantFrom('http' as const, 'https' as const, 'tcp' as const),
  host: fc.constantFrom('one.example', '*.example'),
  port: fc.constantFrom(443, 20000),
  binding: fc.constantFrom('public' as const, 'internal' as const),
});

const session = fc
  .record({ id: sessionId, accountId: account, clientId, legNumber: leg })
  .map((given) => sessionRecord(given));

const tunnel = fc
  .record({
    id: tunnelId,
    sessionId,
    accountId: account,
    bindId,
    form: fc.oneof(
      address.map((at) => ({ endpoint: onlineEndpoint(at) })),
      labels.map((given) => ({ labels: given })),
    ),
  })
  .map(({ form, ...given }) => tunnelRecord({ ...given, ...form }));

const change: fc.Arbitrary<RegistryChange> = fc.oneof(
  { weight: 3, arbitrary: tunnel.map((value) => ({ op: 'put' as const, tunnel: value })) },
  tunnelId.map((id) => ({ op: 'remove' as const, id })),
  sessionId.map((id) => ({ op: 'end' as const, sessionId: id })),
);

interface Call {
  readonly text: string;
  readonly ask: (registry: Registry) => Promise<unknown>;
}

async function applied(registry: Registry, changes: readonly RegistryChange[], fence: Snapshot): Promise<string> {
  try {
    await registry.apply(changes, fence);
    return 'applied';
  } catch (error) {
    if (error instanceof SessionGone || error instanceof Overtaken) return error.name;
    throw error;
  }
}

const calls: fc.Arbitrary<Call> = fc.oneof(
  session.map((value) => command(`addSession ${value.id}`, (r) => r.addSession({ ...value, node: r.node }))),
  fc.constant(command('renew', (r) => r.renew())),
  fc
    .tuple(fc.array(change, { minLength: 1, maxLength: 3 }), fc.array(fc.tuple(address, account), { maxLength: 2 }))
    .map(([changes, fenced]) =>
      command(`apply ${JSON.stringify(changes)}`, async (r) => {
        const keys = fenced.map(([at, accountId]) => addressKey({ ...at, accountId }));
        return applied(r, changes, await r.snapshot(keys));
      }),
    ),
  fc.tuple(change, change, address, account).map(([first, second, at, accountId]) =>
    command(`overtaken ${JSON.stringify([first, second])}`, async (r) => {
      const fence = await r.snapshot([addressKey({ ...at, accountId })]);
      return [await applied(r, [first], fence), await applied(r, [second], fence)];
    }),
  ),
  sessionId.map((id) => command(`getSession ${id}`, (r) => r.getSession(id))),
  account.map((id) => command(`sessionsOf ${id}`, (r) => r.sessionsOf(id))),
  fc
    .tuple(account, clientId, leg)
    .map((given) => command(`findSession ${given.join(' ')}`, (r) => r.findSession(...given))),
  tunnelId.map((id) => command(`getTunnel ${id}`, (r) => r.getTunnel(id))),
  fc.tuple(sessionId, bindId).map((given) => command(`findTunnel ${given.join(' ')}`, (r) => r.findTunnel(...given))),
  account.map((id) => command(`tunnelsOf ${id}`, (r) => r.tunnelsOf(id))),
  fc
    .tuple(account, fc.constantFrom('', 'tn_1', 'tn_3', 'tn_35', 'ts_2', 'ts_9'), fc.constantFrom(1, 2, 10))
    .map(([accountId, beforeId, limit]) =>
      command(`before ${accountId} ${beforeId} ${limit}`, async (r) => [
        await r.tunnelsBefore(accountId, { beforeId, limit }),
        await r.sessionsBefore(accountId, { beforeId, limit }),
      ]),
    ),
  sessionId.map((id) => command(`tunnelsOfSession ${id}`, (r) => r.tunnelsOfSession(id))),
  fc.tuple(address, account).map(([at, accountId]) => {
    const key = addressKey({ ...at, accountId });
    return command(`holdersOf ${key}`, (r) => r.holdersOf(key));
  }),
  fc
    .tuple(account, labels)
    .map((given) => command(`withLabels ${JSON.stringify(given)}`, (r) => r.tunnelsWithLabels(...given))),
);

function command(text: string, ask: Call['ask']): Call {
  return { text, ask };
}

const node = fc.nat({ max: NAMES.length - 1 });

export const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(calls, node).map(([{ text, ask }, index]): Command => ({
      text: `${NAMES[index]}: ${text}`,
      async run({ at }) {
        const registry = at[index];
        if (registry === undefined) throw new Error('there is no such node');
        return ask(registry).catch((error: unknown) => {
          if (error instanceof NodeFenced) return error.message;
          throw error;
        });
      },
    })),
  },
  {
    weight: 1,
    arbitrary: node.map((index): Command => ({
      text: `${NAMES[index]} joins again`,
      async run({ at, cluster }) {
        const joined = await cluster.join(NAMES[index] ?? '');
        at[index] = joined;
        return joined.node;
      },
    })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(30, LEASE_MS - 1, LEASE_MS).map((ms): Command => ({
      text: `${ms} ms pass`,
      run: async ({ advance }) => advance(ms),
    })),
  },
);
