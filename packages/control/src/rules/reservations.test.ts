import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coversForeignName, groundOf, type ReservationPolicy, type Reserved } from './reservations.ts';

type Row = { readonly id: string; readonly accountId: string; readonly domain: string };

function reserved(domains: readonly Row[], addrs: Readonly<Record<string, string>> = {}): Reserved {
  return {
    domainAt: (name) => domains.find(({ domain }) => domain === name),
    addrAt: (addr) => (addrs[addr] === undefined ? undefined : { id: `ra ${addr}`, accountId: addrs[addr] }),
    domains: () => domains,
  };
}

const own = (domain: string): Row => ({ id: `rd ${domain}`, accountId: 'me', domain });
const foreign = (domain: string): Row => ({ ...own(domain), accountId: 'you' });
const policy = (autoReserve: ReservationPolicy['autoReserve']): ReservationPolicy => ({
  autoReserve,
  baseDomains: ['base.test'],
});
const at = (host: string) => ({ scheme: 'https' as const, binding: 'public' as const, host, port: 443 });

describe('a name', () => {
  test.each([
    [[own('a.test')], 'off', 'a.test', { kind: 'there', id: 'rd a.test' }],
    [[foreign('a.test')], 'any', 'a.test', { kind: 'taken' }],
    [[own('*.test')], 'off', 'a.test', { kind: 'there', id: 'rd *.test' }],
    [[foreign('*.test')], 'any', 'a.test', { kind: 'taken' }],
    // The exact one counts before a wider one, whoever has that.
    [[foreign('*.test'), own('a.test')], 'off', 'a.test', { kind: 'there', id: 'rd a.test' }],
    // A wildcard endpoint needs its own reservation.
    [[own('*.test')], 'off', '*.a.test', { kind: 'wildcard-inexact', match: '*.test' }],
    [[own('*.test')], 'any', '*.a.test', { kind: 'to-reserve' }],
    [[foreign('x.a.test')], 'any', '*.a.test', { kind: 'taken' }],
    [[], 'off', 'a.test', { kind: 'missing' }],
    [[], 'base', 'a.test', { kind: 'missing' }],
    [[], 'base', 'a.base.test', { kind: 'to-reserve' }],
    [[], 'any', 'a.test', { kind: 'to-reserve' }],
  ] as const)('%j with %s: %s', (rows, auto, host, expected) => {
    expect(groundOf(reserved(rows), policy(auto), 'me', at(host))).toEqual(expected);
  });
});

test('a tcp address is its own matter, and what is not public needs nothing', () => {
  const tcp = { scheme: 'tcp' as const, binding: 'public' as const, host: 'localhost', port: 1 };
  expect(groundOf(reserved([], { 'localhost:1': 'me' }), policy('off'), 'me', tcp)).toMatchObject({ kind: 'there' });
  expect(groundOf(reserved([], { 'localhost:1': 'you' }), policy('any'), 'me', tcp)).toEqual({ kind: 'taken' });
  expect(groundOf(reserved([]), policy('off'), 'me', tcp)).toEqual({ kind: 'missing' });
  expect(groundOf(reserved([]), policy('base'), 'me', tcp)).toEqual({ kind: 'to-reserve' });
  const inside = { ...at('a.internal'), binding: 'internal' as const };
  expect(groundOf(reserved([]), policy('off'), 'me', inside)).toEqual({ kind: 'none' });
});

test('nobody gets ground that another account has reserved, nor a wildcard over it', () => {
  const name = fc.constantFrom('test', '*.test', 'a.test', '*.a.test', 'b.a.test', '*.b.a.test');
  const rows = fc.uniqueArray(fc.record({ domain: name, mine: fc.boolean() }), { selector: ({ domain }) => domain });
  fc.assert(
    fc.property(rows, name, fc.constantFrom('any' as const, 'base' as const, 'off' as const), (given, host, auto) => {
      const all = reserved(given.map(({ domain, mine }) => (mine ? own(domain) : foreign(domain))));
      const ground = groundOf(all, policy(auto), 'me', at(host));
      if (ground.kind === 'there') expect(ground.id.startsWith('rd ')).toBe(true);
      if (ground.kind === 'to-reserve') {
        expect(all.domainAt(host)).toBeUndefined();
        if (host.startsWith('*.')) expect(coversForeignName(all, 'me', host)).toBe(false);
      }
      if (given.some(({ domain, mine }) => domain === host && !mine)) expect(ground.kind).toBe('taken');
    }),
  );
});
