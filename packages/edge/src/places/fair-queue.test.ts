import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue, type Queued } from './fair-queue.ts';

interface Item extends Queued {
  readonly at: number;
}

const item = (endpointId: string, network: string, at: number, long = false): Item => ({
  endpointId,
  network,
  at,
  long,
});
const order = (queue: FairQueue<Item>): string[] => {
  const all: string[] = [];
  for (let next = queue.take(() => true); next !== null; next = queue.take(() => true)) {
    all.push(`${next.endpointId}${next.network}${next.at}`);
  }
  return all;
};

describe('turns', () => {
  test('go round the endpoints, at each round the networks, and in a network by arrival', () => {
    const queue = new FairQueue<Item>();
    for (let at = 0; at < 3; at++) queue.add(item('A', 'x', at));
    queue.add(item('A', 'y', 3));
    queue.add(item('B', 'x', 4));
    queue.add(item('B', 'z', 5));
    expect(order(queue)).toEqual(['Ax0', 'Bx4', 'Ay3', 'Bz5', 'Ax1', 'Ax2']);
  });

  test('who may not go keeps the place in the line, and keeps nobody else', () => {
    const queue = new FairQueue<Item>();
    queue.add(item('A', 'x', 0));
    queue.add(item('A', 'x', 1));
    queue.add(item('A', 'y', 2));
    expect(queue.take(({ network }) => network !== 'x')?.at).toBe(2);
    expect(queue.take(({ network }) => network !== 'x')).toBeNull();
    expect(order(queue)).toEqual(['Ax0', 'Ax1']);
  });

  test('the long ones of a network do not stand before its short ones', () => {
    const queue = new FairQueue<Item>();
    queue.add(item('A', 'x', 0, true));
    queue.add(item('A', 'x', 1));
    expect(queue.take(({ long }) => !long)?.at).toBe(1);
    expect(queue.size).toBe(1);
  });

  test('nobody is lost, nobody comes twice, and of one line nobody overtakes', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), endpoint: fc.nat(2), network: fc.nat(3), long: fc.boolean() }),
      fc.record({ kind: fc.constant('take' as const), bound: fc.nat(4) }),
      fc.record({ kind: fc.constant('leave' as const), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new FairQueue<Item>();
        const waiting: Item[] = [];
        let at = 0;
        for (const one of steps) {
          if (one.kind === 'add') {
            const added = item(`e${one.endpoint}`, `n${one.network}`, at++, one.long);
            queue.add(added);
            waiting.push(added);
          } else if (one.kind === 'leave') {
            const [gone] = waiting.splice(one.which, 1);
            if (gone !== undefined) expect(queue.remove(gone)).toBe(true);
          } else {
            const mayGo = ({ network }: Item): boolean => network !== `n${one.bound}`;
            const taken = queue.take(mayGo);
            expect(taken === null).toBe(!waiting.some(mayGo));
            if (taken === null) continue;
            const line = waiting.filter(
              (other) =>
                other.network === taken.network && other.endpointId === taken.endpointId && other.long === taken.long,
            );
            expect(line[0]).toBe(taken);
            waiting.splice(waiting.indexOf(taken), 1);
          }
          expect(queue.size).toBe(waiting.length);
        }
        expect(new Set(queue.drain())).toEqual(new Set(waiting));
      }),
    );
  });
});
