import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it } from 'vitest';
import { BcryptThread } from './bcrypt.ts';
import { Turns } from './turns.ts';

describe('bcrypt', () => {
  const hash = hashSync('the right one', 8);
  const bcrypt = new BcryptThread();
  afterAll(() => bcrypt.close());
  const wrong = async (n: number, endpoint: string): Promise<boolean | null> =>
    bcrypt.matches(`guess ${endpoint} ${n}`, hash, { endpoint, address: `192.0.2.${n % 200}` });

  it('gives another endpoint its turn during a flood of guesses, and says of the rest that it does not know', async () => {
    let done = 0;
    const flood = Array.from({ length: 300 }, async (_, n) => {
      const verdict = await wrong(n, 'ep_flooded');
      done++;
      return verdict;
    });
    const mine = await bcrypt.matches('the right one', hash, { endpoint: 'ep_mine', address: '198.51.100.1' });
    expect(mine).toBe(true);
    // Refused ones are told at once, and no more than a turn or two of the flood came first.
    expect(done).toBeLessThanOrEqual(300 - 64 + 3);
    const verdicts = await Promise.all(flood);
    expect(verdicts.filter((verdict) => verdict === null).length).toBeGreaterThanOrEqual(300 - 65);
    expect(verdicts).not.toContain(true);
    expect(verdicts).toContain(false);
  });

  it('remembers right passwords, and no failures', async () => {
    const asker = { endpoint: 'ep_1', address: '192.0.2.1' };
    await bcrypt.matches('the right one', hash, asker);
    expect(bcrypt.matches('the right one', hash, asker)).toBe(true);
    // One that found no place is asked when there is one.
    const many = Array.from({ length: 80 }, (_, n) => wrong(n, 'ep_3'));
    const again = hashSync('another right one', 4);
    const refused = await bcrypt.matches('another right one', again, { endpoint: 'ep_3', address: '192.0.2.9' });
    expect(refused).toBe(null);
    await Promise.all(many);
    expect(await bcrypt.matches('another right one', again, { endpoint: 'ep_3', address: '192.0.2.9' })).toBe(true);
  });

  it('tells who waits, and who asks later, that it does not know when it is closed', async () => {
    const closing = new BcryptThread();
    const asker = { endpoint: 'ep_1', address: '192.0.2.1' };
    const asked = [1, 2, 3].map((n) => closing.matches(`guess ${n}`, hash, asker));
    closing.close();
    expect(await Promise.all(asked.map(async (one) => one))).toEqual([null, null, null]);
    expect(await closing.matches('the right one', hash, asker)).toBe(null);
  });
});

describe('turns', () => {
  it('go round endpoints, and round addresses within one', () => {
    const turns = new Turns<string>({ all: 10, perEndpoint: 6, perAddress: 4 });
    for (const item of ['a1', 'a1', 'a1', 'a1', 'a2', 'b1']) {
      expect(turns.push(item[0] ?? '', item[1] ?? '', item)).toBe(true);
    }
    expect(turns.push('a', '1', 'a1')).toBe(false);
    expect(turns.push('a', '3', 'a3')).toBe(true);
    expect(turns.push('a', '4', 'a4')).toBe(false);
    expect(Array.from({ length: 8 }, () => turns.next())).toEqual(['a1', 'b1', 'a2', 'a3', 'a1', 'a1', 'a1', null]);
    expect(turns.waiting).toBe(0);
  });
});
