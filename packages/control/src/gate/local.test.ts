import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalGate, type StepKeys } from './local.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Plan = { readonly keys: StepKeys | null; readonly turns: number; readonly fails: boolean };

const plan: fc.Arbitrary<Plan> = fc.record({
  keys: fc.option(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.boolean()), { selector: ([name]) => name }).map((picks) => ({
      alone: picks.filter(([, alone]) => alone).map(([name]) => name),
      shared: picks.filter(([, alone]) => !alone).map(([name]) => name),
    })),
    { freq: 5 },
  ),
  turns: fc.integer({ min: 0, max: 4 }),
  fails: fc.boolean(),
});

function inTheWay(one: StepKeys | null, other: StepKeys | null): boolean {
  if (one === null || other === null) return true;
  return (
    one.alone.some((key) => other.alone.includes(key) || other.shared.includes(key)) ||
    other.alone.some((key) => one.shared.includes(key))
  );
}

test('steps that need the same run one after the other in their order, and all of them end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { maxLength: 25 }), async (plans) => {
      const gate = new LocalGate();
      const begun: number[] = [];
      const running = new Set<number>();
      const clashes: string[] = [];
      const outcomes = plans.map(({ keys, turns, fails }, index) => {
        const step = async (): Promise<number> => {
          for (const other of running)
            if (inTheWay(keys, plans[other]?.keys ?? null)) clashes.push(`${other}+${index}`);
          running.add(index);
          begun.push(index);
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          running.delete(index);
          if (fails) throw new Error('of its own');
          return index;
        };
        return keys === null ? gate.runAlone(step) : gate.run(keys, step);
      });
      const settled = await Promise.allSettled(outcomes);
      expect(settled.map(({ status }) => status)).toEqual(plans.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')));
      expect(clashes).toEqual([]);
      for (const [late, { keys }] of plans.entries()) {
        for (const early of plans.keys()) {
          if (early >= late || !inTheWay(keys, plans[early]?.keys ?? null)) continue;
          expect(begun.indexOf(early)).toBeLessThan(begun.indexOf(late));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a step that hangs holds up its own names only', async () => {
  const gate = new LocalGate();
  const hung = Promise.withResolvers<void>();
  const first = gate.run({ alone: ['a'], shared: ['all of them'] }, () => hung.promise);
  let behind = false;
  const second = gate.run({ alone: ['a'], shared: [] }, async () => {
    behind = true;
  });
  expect(await gate.run({ alone: ['b'], shared: ['all of them'] }, () => Promise.resolve('done'))).toBe('done');
  expect(behind).toBe(false);
  hung.resolve();
  await Promise.all([first, second]);
  expect(behind).toBe(true);
});
