import { expect, test } from 'vitest';
import type { Log } from './context.ts';
import { limitedLog } from './limited-log.ts';

function recorder(): { log: Log; lines: string[]; tick: (ms: number) => void } {
  const lines: string[] = [];
  let now = 0;
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { log: limitedLog(log, () => now), lines, tick: (ms) => (now += ms) };
}

test('the same warning about the same endpoint is written five times a minute, then with how many were left out', () => {
  const { log, lines, tick } = recorder();
  for (let n = 0; n < 1000; n++) log.warn({ endpoint: 'ep_1' }, `rule 1 failed: value ${n}`);
  expect(lines).toHaveLength(5);
  log.warn({ endpoint: 'ep_2' }, 'rule 1 failed: x');
  log.error({ endpoint: 'ep_1' }, 'rule 2 failed: x');
  log.info({ endpoint: 'ep_1' }, 'rule 1 failed: x');
  expect(lines).toHaveLength(8);
  tick(60_000);
  log.warn({ endpoint: 'ep_1' }, 'rule 1 failed: y');
  expect(lines.at(-1)).toBe('warn rule 1 failed: y {"endpoint":"ep_1","left_out":995}');
  log.warn({ endpoint: 'ep_1' }, 'rule 1 failed: z');
  expect(lines.at(-1)).not.toContain('left_out');
});

test('many endpoints do not make it grow', () => {
  const { log, lines } = recorder();
  for (let n = 0; n < 5_000; n++) log.warn({ endpoint: `ep_${n}` }, 'rule failed');
  expect(lines).toHaveLength(5_000);
  log.warn({ endpoint: 'ep_0' }, 'rule failed');
  expect(lines).toHaveLength(5_001);
});
