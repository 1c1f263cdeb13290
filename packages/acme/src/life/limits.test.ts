import type { AcmeOrderRow } from '@postern/store';
import { describe, expect, test } from 'vitest';
import { refusalOf, registered } from './limits.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const HOUR = 3_600_000;
const directory = 'https://ca.test/dir';

function order(parts: {
  ago: number;
  names?: string[];
  state?: AcmeOrderRow['state'];
  accountId?: string;
}): AcmeOrderRow {
  return {
    id: `order_${Math.random()}`,
    accountId: parts.accountId ?? 'ac_1',
    createdAt: new Date(NOW - parts.ago).toISOString().replace(/\.\d+Z$/, 'Z'),
    managedId: 'mcert_1',
    directory,
    url: '',
    names: parts.names ?? [`n${Math.random()}.d${Math.random()}.example`],
    key: '',
    state: parts.state ?? 'issued',
  };
}
const many = (count: number, parts: (index: number) => Parameters<typeof order>[0]): AcmeOrderRow[] =>
  Array.from({ length: count }, (_none, index) => order(parts(index)));
const wanted = { accountId: 'ac_1', directory, names: ['shop.example.com'] };

describe('orders are refused here before the authority has to', () => {
  test('one tenant has half, and the others the rest', () => {
    const orders = many(135, (index) => ({ ago: 2 * HOUR - index * 1_000 }));
    expect(refusalOf(wanted, orders.slice(1), NOW)).toBeNull();
    expect(refusalOf(wanted, orders, NOW)).toEqual({
      words: expect.stringContaining('one account'),
      retryAfterMs: HOUR,
    });
    expect(refusalOf({ ...wanted, accountId: 'ac_2' }, orders, NOW)).toBeNull();
    const all = [...orders, ...many(135, () => ({ ago: HOUR, accountId: 'ac_3' }))];
    expect(refusalOf({ ...wanted, accountId: 'ac_2' }, all, NOW)).toMatchObject({ retryAfterMs: HOUR });
    // Each authority counts for itself.
    expect(refusalOf({ ...wanted, directory: 'https://other.test/dir' }, all, NOW)).toBeNull();
  });

  test('failures of a name, the same names again, and names below one registered domain', () => {
    const failed = many(4, (index) => ({ ago: (index + 1) * 600_000, names: wanted.names, state: 'failed' }));
    expect(refusalOf(wanted, failed.slice(1), NOW)).toBeNull();
    expect(refusalOf(wanted, failed, NOW)).toMatchObject({ retryAfterMs: HOUR - 2_400_000 });
    expect(refusalOf({ ...wanted, names: ['other.example.com'] }, failed, NOW)).toBeNull();
    const same = many(4, (index) => ({ ago: (index + 1) * 24 * HOUR, names: wanted.names }));
    expect(refusalOf(wanted, same, NOW)).toMatchObject({ retryAfterMs: 3 * 24 * HOUR });
    const below = many(45, (index) => ({ ago: 5 * HOUR, names: [`n${index}.example.com`] }));
    expect(refusalOf(wanted, below, NOW)?.words).toContain('one registered domain');
    expect(refusalOf({ ...wanted, names: ['shop.example.org'] }, below, NOW)).toBeNull();
  });

  test.each([
    ['a.b.example.com', 'example.com'],
    ['*.example.com', 'example.com'],
    ['shop.example.co.uk', 'example.co.uk'],
    ['a.example.de', 'example.de'],
    ['example.com', 'example.com'],
  ])('%s is of %s', (name, domain) => {
    expect(registered(name)).toBe(domain);
  });
});
