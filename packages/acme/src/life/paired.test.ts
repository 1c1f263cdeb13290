import { expect, test } from 'vitest';
import type { Subject } from '../types.ts';
import { paired } from './paired.ts';

const subject = (domainId: string, keyType: 'ecdsa' | 'rsa', names = ['a.test']): Subject => ({
  accountId: 'ac_1',
  domainId,
  names,
  keyType,
});
const pair = (there: readonly Subject[], wanted: readonly Subject[]) => paired(there, (one) => one, wanted);

test('two kinds of key of one domain are two, each with its own', () => {
  const [ec, rsa] = [subject('rd_1', 'ecdsa'), subject('rd_1', 'rsa')];
  expect(pair([rsa, ec], [ec, rsa])).toEqual({
    pairs: [
      [rsa, rsa],
      [ec, ec],
    ],
    lost: [],
    added: [],
  });
  expect(pair([ec], [ec, rsa])).toEqual({ pairs: [[ec, ec]], lost: [], added: [rsa] });
  expect(pair([ec, rsa], [rsa])).toEqual({ pairs: [[rsa, rsa]], lost: [ec], added: [] });
});

test('another kind of key alone takes the place of the one that is there', () => {
  const [ec, rsa] = [subject('rd_1', 'ecdsa'), subject('rd_1', 'rsa')];
  expect(pair([ec], [rsa])).toEqual({ pairs: [[ec, rsa]], lost: [], added: [] });
});

test("the server's own are told apart by their first name, and from those of domains", () => {
  const there = [subject('', 'ecdsa'), subject('', 'ecdsa', ['b.test']), subject('rd_1', 'ecdsa')];
  const wanted = [subject('', 'ecdsa', ['a.test', '*.a.test']), subject('rd_2', 'ecdsa')];
  const { pairs, lost, added } = pair(there, wanted);
  expect(pairs).toEqual([[there[0], wanted[0]]]);
  expect(lost).toEqual([there[1], there[2]]);
  expect(added).toEqual([wanted[1]]);
});
