import { describe, expect, it } from 'vitest';
import type { BreakerLimit } from '../../services.ts';
import { refusal, rule, run } from '../../testing/run.ts';

const R = 'on_http_request';
const breaker = (config: object): object => ({ type: 'circuit-breaker', config });
const problem = (config: object): string => refusal(rule(R, breaker(config)));

async function enter(config: object, open = false) {
  const limits: BreakerLimit[] = [];
  const verdicts: string[] = [];
  const breakers = {
    enter(_: string, limit: BreakerLimit) {
      limits.push(limit);
      return open ? null : { leave: (verdict: string) => void verdicts.push(verdict) };
    },
  };
  const { outcome, context } = await run(R, [{ actions: [breaker(config)] }], { services: { breakers } });
  const end = (status: number, reason: string): void => {
    const rest = { errorCode: '', bytesIn: 0, bytesOut: 0, ms: 1 };
    for (const listener of context.req?.listeners ?? []) listener({ status, reason, ...rest });
  };
  return { outcome, limits, verdicts, end };
}

describe('circuit-breaker', () => {
  it('lets through, and tells how it ended', async () => {
    const { outcome, limits, verdicts, end } = await enter({ error_threshold: '0.25', tripped_duration: 120e9 });
    expect(outcome.kind).toBe('continue');
    expect(limits).toMatchObject([{ errorShare: 0.25, volume: 10, windowMs: 10_000, slices: 10, trippedMs: 120_000 }]);
    end(200, 'complete');
    end(499, 'complete');
    end(500, 'complete');
    end(502, 'complete');
    end(200, 'upstream-reset');
    end(0, 'client-gone');
    expect(verdicts).toEqual(['fine', 'fine', 'failed', 'failed', 'failed', 'unknown']);
  });

  it('answers 503 while it is open, unless it only looks', async () => {
    expect((await enter({ error_threshold: 0 }, true)).outcome).toMatchObject({
      kind: 'error',
      error: { number: 3202, status: 503 },
    });
    expect((await enter({ error_threshold: 0, enforce: false }, true)).outcome.kind).toBe('continue');
  });

  it('is refused with what it cannot go by', () => {
    expect(problem({})).toMatch(/^2234 .*"error_threshold"/);
    expect(problem({ error_threshold: 1.5 })).toMatch(/^2215 .*error_threshold: 1\.5 is outside 0 to 1/);
    expect(problem({ error_threshold: 'half' })).toMatch(/^2204 /);
    expect(problem({ error_threshold: 1, volume_threshold: 0 })).toMatch(/^2215 /);
    expect(problem({ error_threshold: 1, window_duration: '3m' })).toMatch(/^2225 /);
    expect(problem({ error_threshold: 1, tripped_duration: '500ms' })).toMatch(/^2215 /);
    expect(problem({ error_threshold: 1, num_buckets: 5 })).toMatch(/^2215 /);
    expect(problem({ error_threshold: 1, num_buckets: 10 })).toBe('accepted');
    expect(problem({ error_threshold_percentage: 0.5, error_threshold: 1 })).toMatch(/^2203 /);
  });
});
