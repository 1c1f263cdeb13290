import { describe, expect, test } from 'vitest';
import { AUTH, BIND, POLICY, useStore } from '../testing/harness.ts';
import { FakeEdge } from '../testing/fake-edge.ts';

const open = useStore();

describe('several edges', () => {
  test('a change is acknowledged when all of them have it', async () => {
    const h = await open();
    const second = new FakeEdge();
    await h.control.connectEdge().link.follow(second);
    const gate = Promise.withResolvers<void>();
    second.gate = gate.promise;
    let acknowledged = false;
    const made = h.control.api.endpoints
      .create(h.caller, { url: 'https://a.example.test', trafficPolicy: POLICY })
      .finally(() => {
        acknowledged = true;
      });
    while (second.updates.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(h.edge.urls()).toEqual(['https://a.example.test']);
    expect(acknowledged).toBe(false);
    gate.resolve();
    await made;
    expect(second.urls()).toEqual(['https://a.example.test']);
  });

  test('one that joins late gets all that there is, agents of other edges with it', async () => {
    const h = await open();
    const session = await h.connect();
    await h.bind(session, { url: 'https://agent.example.test' });
    const late = new FakeEdge();
    await h.control.connectEdge().link.follow(late);
    expect(late.urls()).toEqual(['https://agent.example.test']);
    expect(late.updates.map(({ revision, snapshot }) => [revision, snapshot])).toEqual([[1, true]]);
  });

  test('one that goes takes its own sessions with it, and nobody waits for it', async () => {
    const h = await open();
    const other = h.control.connectEdge();
    const otherEdge = new FakeEdge();
    await other.link.follow(otherEdge);
    const kept = await h.connect();
    await h.bind(kept, { url: 'https://kept.example.test' });
    const lost = await other.link.authenticate({ ...AUTH, authtoken: h.authtoken }, '127.0.0.1:1');
    await other.link.bind(lost.sessionId, { ...BIND, opts: { proxyProto: 0, url: 'https://lost.example.test' } });
    expect(h.edge.urls()).toEqual(['https://kept.example.test', 'https://lost.example.test']);

    // Its process dies with an update on the way: whoever waits for that must not wait for ever, nor be refused.
    otherEdge.gate = new Promise(() => {});
    const made = h.control.api.endpoints.create(h.caller, { url: 'https://b.example.test', trafficPolicy: POLICY });
    while (otherEdge.updates.length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
    await other.gone();
    await made;
    const [expected] = h.edge.settings.at(-1)?.expected ?? [];
    expect(expected).toMatchObject({ binding: 'public', proto: 'https', host: 'lost.example.test', port: 443 });
    expect(h.edge.urls()).toEqual(['https://b.example.test', 'https://kept.example.test']);
    expect((await h.control.api.tunnelSessions.list(h.caller, { limit: 10 })).items.map(({ id }) => id)).toEqual([
      kept.sessionId,
    ]);
  });

  test('an agent is asked where its wire is', async () => {
    const h = await open();
    const other = h.control.connectEdge();
    const otherEdge = new FakeEdge();
    await other.link.follow(otherEdge);
    const { sessionId } = await other.link.authenticate({ ...AUTH, authtoken: h.authtoken }, '127.0.0.1:1');
    await h.control.api.tunnelSessions.stop(h.caller, sessionId);
    expect(otherEdge.commands.map((command) => command.sessionId)).toEqual([sessionId]);
    expect(h.edge.commands).toEqual([]);
  });
});
