import { afterEach, describe, expect, test, vi } from 'vitest';
import { FakeEdge } from '../testing/fake-edge.ts';
import { useStore } from '../testing/harness.ts';

const open = useStore();
afterEach(() => {
  vi.useRealTimers();
});

describe('what the edges of a node share', () => {
  test('is there before the first routes, and the same for each', async () => {
    const h = await open();
    const second = new FakeEdge();
    const order: string[] = [];
    await h.control.connectEdge().link.follow({
      applySettings: (settings) => second.applySettings(settings).then(() => void order.push('settings')),
      applyResources: async () => {},
      applyRoutes: (update) => second.applyRoutes(update).then(() => void order.push('routes')),
      agentCommand: () => Promise.resolve(''),
      stopTunnel: () => {},
      closeSession: () => {},
      probeSession: () => Promise.resolve(false),
    });
    expect(order).toEqual(['settings', 'routes']);
    expect(second.settings).toEqual(h.edge.settings);
    const { keys } = second.settings[0] ?? {};
    expect([keys?.hopMarks.length, keys?.tickets.length]).toEqual([32, 32]);
    expect(keys?.hopMarks).not.toEqual(keys?.tickets);
  });

  test('is told again when it changes, with what did not change as it was', async () => {
    const h = await open();
    const [before] = h.edge.settings;
    await h.control.certificatesChanged(['a.test']);
    const certificates = { count: 1, last: [['a.test']] };
    expect(h.edge.settings.at(-1)).toEqual({ ...before, certificates });
    await h.control.showWebVisitors('https://demo.test/');
    expect(h.edge.settings.at(-1)).toEqual({ ...before, certificates, webUrl: 'https://demo.test/' });
    for (let n = 0; n < 50; n++) await h.control.certificatesChanged(n === 49 ? null : [`${n}.test`]);
    expect(h.edge.settings.at(-1)?.certificates).toMatchObject({ count: 51 });
    expect(h.edge.settings.at(-1)?.certificates.last.slice(-2)).toEqual([['48.test'], null]);
    expect(h.edge.settings.at(-1)?.certificates.last.length).toBeLessThan(51);
  });

  test('one that does not take it holds up neither the others nor routes', async () => {
    const h = await open();
    const deaf = new FakeEdge();
    await h.control.connectEdge().link.follow(deaf);
    deaf.applySettings = () => Promise.reject(new Error('deaf'));
    await h.control.certificatesChanged(null);
    expect(h.edge.settings.at(-1)?.certificates.count).toBe(1);
  });

  test('has another key for tickets after an hour', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const h = await open();
    const [before] = h.edge.settings;
    vi.advanceTimersByTime(3_599_000);
    expect(h.edge.settings).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    await vi.waitFor(() => expect(h.edge.settings).toHaveLength(2), { timeout: 60_000 });
    const after = h.edge.settings[1];
    expect(after?.keys.hopMarks).toEqual(before?.keys.hopMarks);
    expect(after?.keys.tickets).not.toEqual(before?.keys.tickets);
    await h.control.stop();
    vi.advanceTimersByTime(3_600_000);
    expect(h.edge.settings).toHaveLength(2);
  });
});
