import type { CompiledPolicy, InternalAddress } from '@postern/policy';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { endpoint, POLICY_CONTEXT, SILENT_LOG, update } from '../testing/fixtures.ts';
import type { Route } from '../context.ts';
import type { RouteEndpoint } from '@postern/link';
import { createRouteTable } from './route-table.ts';

const NO_RULES: CompiledPolicy = {
  onTcpConnect: null,
  onEventStreamMessage: null,
  onHttpRequest: null,
  onHttpResponse: null,
};

function tableWith(...upserts: RouteEndpoint[]) {
  const compile = vi.fn(() => NO_RULES);
  const table = createRouteTable({ compile, log: SILENT_LOG });
  table.apply(update(1, { snapshot: true, upserts }));
  return { table, compile };
}

function ids(route: Route | null): string[] {
  return route?.members.map((member) => member.endpoint.id) ?? [];
}

describe('public lookups', () => {
  test.each([
    ['app.example.com', ['exact']],
    ['x.example.com', ['wild']],
    ['y.x.example.com', ['wild']],
    ['a.deep.example.com', ['deeper']],
    ['example.com', []],
    ['xexample.com', []],
    ['example.org', []],
  ])('https %s', (host, expected) => {
    const { table } = tableWith(
      endpoint('wild', 'https', '*.example.com'),
      endpoint('exact', 'https', 'app.example.com'),
      endpoint('deeper', 'https', '*.deep.example.com'),
    );
    expect(ids(table.findHttp('https', host))).toEqual(expected);
    expect(ids(table.findHttp('http', host))).toEqual([]);
    expect(ids(table.findTls(host))).toEqual(expected);
  });

  test('the wildcard serves while the exact name is offline', () => {
    const { table } = tableWith(endpoint('wild', 'http', '*.example.com'), endpoint('exact', 'http', 'a.example.com'));
    table.apply(update(2, { removes: ['exact'] }));
    expect(ids(table.findHttp('http', 'a.example.com'))).toEqual(['wild']);
    table.apply(update(3, { upserts: [endpoint('exact', 'http', 'a.example.com')] }));
    expect(ids(table.findHttp('http', 'a.example.com'))).toEqual(['exact']);
  });

  test('on the TLS port an exact name beats any wildcard, and tls beats https', () => {
    const { table } = tableWith(
      endpoint('tls-wild', 'tls', '*.example.com'),
      endpoint('https-exact', 'https', 'a.example.com'),
      endpoint('https-both', 'https', 'b.example.com'),
      endpoint('tls-both', 'tls', 'b.example.com'),
    );
    expect(ids(table.findTls('a.example.com'))).toEqual(['https-exact']);
    expect(ids(table.findTls('b.example.com'))).toEqual(['tls-both']);
    expect(ids(table.findTls('c.example.com'))).toEqual(['tls-wild']);
  });

  test('tcp goes by port, whatever the host', () => {
    const { table } = tableWith(endpoint('one', 'tcp', 'localhost', { port: 20_001 }));
    expect(ids(table.findTcp(20_001))).toEqual(['one']);
    expect([...table.tcpPorts()]).toEqual([20_001]);
    table.apply(update(2, { upserts: [endpoint('one', 'tcp', 'localhost', { port: 20_002 })] }));
    expect(table.findTcp(20_001)).toBeNull();
    expect([...table.tcpPorts()]).toEqual([20_002]);
  });

  test('pool members share a route and keep their order when one changes', () => {
    const { table } = tableWith(
      endpoint('one', 'https', 'a.example.com', { pooling: true }),
      endpoint('two', 'https', 'a.example.com', { pooling: true }),
    );
    table.apply(update(2, { upserts: [endpoint('one', 'https', 'a.example.com', { publicUrl: 'https://new' })] }));
    expect(ids(table.findHttp('https', 'a.example.com'))).toEqual(['one', 'two']);
    table.apply(update(3, { removes: ['one'] }));
    expect(ids(table.findHttp('https', 'a.example.com'))).toEqual(['two']);
  });
});

describe('internal and kubernetes lookups', () => {
  const internal = { binding: 'internal' as const };
  const { table } = tableWith(
    endpoint('web', 'https', 'a.internal', internal),
    endpoint('plain', 'http', 'a.internal', { ...internal, port: 8080 }),
    endpoint('db', 'tcp', 'db.internal', { ...internal, port: 5432 }),
    endpoint('wild', 'https', '*.internal', internal),
    endpoint('other', 'https', 'b.internal', { ...internal, accountId: 'ac_2' }),
    endpoint('kube', 'tcp', 'svc.ns', { binding: 'kubernetes', port: 80 }),
  );

  test.each([
    ['https a.internal 443', ['web']],
    ['http a.internal 8080', ['plain']],
    ['http a.internal 80', []],
    ['tcp db.internal 5432', ['db']],
    ['tls db.internal 5432', []],
    ['https c.b.internal 443', ['wild']],
    ['https b.internal 443', ['wild']],
  ])('%s', (address, expected) => {
    const [scheme, host = '', port] = address.split(' ');
    const to = { scheme, host, port: Number(port), url: '' } as InternalAddress;
    expect(ids(table.findInternal('ac_1', to))).toEqual(expected);
  });

  test('neither is reachable from outside', () => {
    expect(table.findHttp('https', 'a.internal')).toBeNull();
    expect(table.findTls('a.internal')).toBeNull();
    expect(table.tcpPorts().size).toBe(0);
    expect(ids(table.findKubernetes('ac_1', 'svc.ns', 80))).toEqual(['kube']);
    expect(table.findKubernetes('ac_2', 'svc.ns', 80)).toBeNull();
  });
});

describe('policies', () => {
  test('are compiled once per text', () => {
    const web = endpoint('one', 'https', 'a.example.com', { policy: '{}' });
    const { table, compile } = tableWith(web);
    table.apply(update(2, { upserts: [{ ...web, publicUrl: 'https://a.example.com:8443' }] }));
    table.apply(update(3, { snapshot: true, upserts: [web] }));
    expect(compile).toHaveBeenCalledTimes(1);
    table.apply(update(4, { upserts: [{ ...web, policy: '{ }' }] }));
    expect(compile).toHaveBeenCalledTimes(2);
    expect(compile).toHaveBeenLastCalledWith('{ }', { protocol: 'https', binding: 'public', kind: 'agent' });
  });

  test.each([
    ['https', 'onHttpRequest'],
    ['tls', 'onTcpConnect'],
  ] as const)('one of a %s endpoint that does not compile fails closed', async (proto, phase) => {
    const table = createRouteTable({
      compile: () => {
        throw new Error('broken');
      },
      log: SILENT_LOG,
    });
    table.apply(update(1, { upserts: [endpoint('one', proto, 'a.example.com', { policy: 'x' })] }));
    const compiled = table.findTls('a.example.com')?.members[0]?.policy?.[phase];
    const outcome = await compiled?.start(POLICY_CONTEXT).next();
    expect(outcome?.kind === 'error' && outcome.error.number).toBe(2300);
  });
});

test('any history of updates routes as a naive search of what is there', () => {
  const hosts = ['a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test'];
  const proto = fc.constantFrom('http' as const, 'https' as const, 'tls' as const);
  const step = fc.record({
    snapshot: fc.boolean(),
    upserts: fc.array(
      fc.tuple(fc.nat(7), proto, fc.constantFrom(...hosts)).map(([id, p, host]) => endpoint(`ep_${id}`, p, host)),
      { maxLength: 4 },
    ),
    removes: fc.array(
      fc.nat(7).map((id) => `ep_${id}`),
      { maxLength: 2 },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const { table } = tableWith();
      let model = new Map<string, RouteEndpoint>();
      let revision = 1;
      for (const { snapshot, upserts, removes } of steps) {
        table.apply(update(++revision, { snapshot, upserts, removes }));
        if (snapshot) model = new Map();
        for (const id of removes) model.delete(id);
        for (const one of upserts) model.set(one.id, one);
        expect(table.revision).toBe(revision);
        for (const scheme of ['http', 'https'] as const) {
          for (const name of ['a.test', 'b.a.test', 'c.b.a.test', 'd.a.test', 'test', 'x.y.test']) {
            expect(ids(table.findHttp(scheme, name)).toSorted()).toEqual(naive(model, [scheme], name));
            expect(ids(table.findTls(name)).toSorted()).toEqual(naive(model, ['tls', 'https'], name));
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

/** Ranks every endpoint by how well it fits, and takes the best. */
function naive(model: Map<string, RouteEndpoint>, protos: readonly string[], name: string): string[] {
  let best = Infinity;
  let found: string[] = [];
  for (const { id, proto, host } of model.values()) {
    const preference = protos.indexOf(proto);
    if (preference < 0) continue;
    let rank: number;
    if (host === name) rank = preference;
    else if (host.startsWith('*.') && name.endsWith(host.slice(1))) rank = 1000 - host.length * 10 + preference;
    else continue;
    if (rank < best) {
      best = rank;
      found = [];
    }
    if (rank === best) found.push(id);
  }
  return found.toSorted();
}
