/** The question whether an agent lives, on whose answer hangs whether another one gets its address. */
import { describe, expect, test } from 'vitest';
import { edgeHarness } from '../testing/edge-harness.ts';

describe.concurrent('a probe', () => {
  test('tells a living agent from a stopped one', async () => {
    await using harness = await edgeHarness({ limits: { suspectMs: 3_000 } });
    const agent = await harness.dialAgent();
    await agent.auth({ heartbeatInterval: 1_000, heartbeatTolerance: 30_000 });
    expect(await harness.control.edge.probeSession('ts_1')).toBe(true);
    agent.freeze();
    // Busy is not gone: who asks waits for its answer.
    const busy = harness.control.edge.probeSession('ts_1');
    await new Promise((resolve) => setTimeout(resolve, 200));
    agent.thaw();
    expect(await busy).toBe(true);
    agent.freeze();
    expect(await harness.control.edge.probeSession('ts_1')).toBe(false);
    expect(harness.control.ended).toEqual([]);
    expect(await harness.control.edge.probeSession('ts_9')).toBe(false);
  });

  test('what an agent said before it died is no sign of life, when it comes late', async () => {
    await using harness = await edgeHarness({ limits: { suspectMs: 1_000 } });
    const agent = await harness.dialAgent();
    await agent.auth({ heartbeatInterval: 1_000, heartbeatTolerance: 30_000 });
    agent.freeze();
    // A beat is under way, and its echo is the last that is heard.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const asked = harness.control.edge.probeSession('ts_1');
    agent.onBeat = () => agent.freeze();
    agent.thaw();
    expect(await asked).toBe(false);
  });

  test('who is asked and hangs up is gone at once', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    await agent.auth({ heartbeatInterval: 30_000, heartbeatTolerance: 30_000 });
    agent.freeze();
    const asked = harness.control.edge.probeSession('ts_1');
    agent.close();
    expect(await asked).toBe(false);
  });
});
