import { constants, PerformanceObserver } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { eventually } from '../testing/edge-harness.ts';
import { pieceRead } from './young-garbage.ts';

test('every 16 MiB of pieces the young objects are collected, and only they', async () => {
  const forced: unknown[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail: { kind: number; flags: number } = Object(Reflect.get(entry, 'detail'));
      if (detail.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) forced.push(detail.kind);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let piece = 0; piece < 3 * 1_024; piece++) pieceRead(16_384);
  await eventually(() => forced.length >= 3);
  observer.disconnect();
  expect(new Set(forced)).toEqual(new Set([constants.NODE_PERFORMANCE_GC_MINOR]));
});
