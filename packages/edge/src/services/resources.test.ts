import type { PolicyResource } from '@postern/link';
import { describe, expect, it } from 'vitest';
import { KnownResources } from './resources.ts';

const secret = (id: string, name: string, value: string, vault = 'v', accountId = 'ac_1'): PolicyResource => ({
  kind: 'secret',
  id,
  accountId,
  vault,
  name,
  value,
});
const change = (upserts: PolicyResource[], removes: string[] = []) => ({ snapshot: false, upserts, removes });

describe('what policies name', () => {
  it("is the account's alone", () => {
    const known = new KnownResources();
    known.apply(
      change([
        secret('secret_1', 'n', 'value'),
        { kind: 'ip-policy', id: 'ipp_1', accountId: 'ac_1', allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] },
        { kind: 'certificate-authority', id: 'ca_1', accountId: 'ac_1', pem: 'PEM' },
      ]),
    );
    expect(known.secret('ac_1', 'v', 'n')).toBe('value');
    expect(known.ipPolicy('ac_1', 'ipp_1')?.allow.match('10.2.3.4')).toBe('10.0.0.0/8');
    expect(known.ipPolicy('ac_1', 'ipp_1')?.deny.match('10.1.3.4')).toBe('10.1.0.0/16');
    expect(known.certificateAuthority('ac_1', 'ca_1')).toBe('PEM');
    expect([
      known.secret('ac_2', 'v', 'n'),
      known.secret('ac_1', 'w', 'n'),
      known.secret('ac_1', 'v', 'm'),
      known.ipPolicy('ac_2', 'ipp_1'),
      known.ipPolicy('ac_1', 'ca_1'),
      known.certificateAuthority('ac_2', 'ca_1'),
    ]).toEqual([null, null, null, null, null, null]);
  });

  it('follows what is renamed, replaced and deleted, in any order within one update', () => {
    const known = new KnownResources();
    const read = (...names: string[]): (string | null)[] => names.map((name) => known.secret('ac_1', 'v', name));
    known.apply(change([secret('secret_1', 'a', '1'), secret('secret_2', 'b', '2')]));
    known.apply(change([secret('secret_1', 'b', '1'), secret('secret_2', 'a', '2')]));
    expect(read('a', 'b')).toEqual(['2', '1']);
    known.apply(change([secret('secret_1', 'c', '1.1')]));
    expect(read('a', 'b', 'c')).toEqual(['2', null, '1.1']);
    // Another one has its name, and then it is forgotten itself.
    known.apply(change([secret('secret_3', 'c', '3')]));
    known.apply(change([], ['secret_1', 'unknown']));
    expect(read('a', 'c')).toEqual(['2', '3']);
    known.apply({ snapshot: true, upserts: [secret('secret_4', 'd', '4')], removes: [] });
    expect(read('a', 'c', 'd')).toEqual([null, null, '4']);
  });
});
