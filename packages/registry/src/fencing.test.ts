import { describe, expect, test } from 'vitest';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './contract/records.ts';
import { mayTakeOver, type Claim } from './fencing.ts';

describe('an address is taken over', () => {
  const existing = {
    session: sessionRecord({ id: 'ts_old', clientId: 'client', legNumber: 1 }),
    tunnel: tunnelRecord({
      id: 'tn_1',
      sessionId: 'ts_old',
      endpoint: onlineEndpoint({ id: 'ep_1', host: 'a.example' }),
    }),
  };
  const taken = { ...existing, tunnel: { ...existing.tunnel, tookFrom: ['ep_0'] } };
  const pooled = {
    ...taken,
    tunnel: { ...taken.tunnel, endpoint: onlineEndpoint({ id: 'ep_1', host: 'a.example', poolingEnabled: true }) },
  };
  const labelled = { ...existing, tunnel: tunnelRecord({ id: 'tn_2', sessionId: 'ts_old', labels: { app: 'x' } }) };
  const nobody: Claim = {
    accountId: 'ac_1',
    sessionId: 'ts_new',
    clientId: 'x',
    legNumber: 0,
    provenEndpointId: '',
    pooling: false,
  };
  const before: Claim = { ...nobody, provenEndpointId: 'ep_0' };
  const back: Claim = { ...nobody, clientId: 'client', legNumber: 1 };
  const proven: Claim = { ...nobody, provenEndpointId: 'ep_1' };

  test.each([
    ['by the same leg of the same agent', existing, back, true],
    ['by whoever proved the endpoint id', existing, proven, true],
    ['by its own session with a proof', existing, { ...proven, sessionId: 'ts_old' }, true],
    ['by the owner before, who was away', taken, before, true],
    ['by the owner before, from a pool that it would not join', pooled, before, true],
    ['not by the owner before, where both share', pooled, { ...before, pooling: true }, false],
    ['not by the owner before, of another account', taken, { ...before, accountId: 'ac_2' }, false],
    ['not by a stranger', existing, nobody, false],
    ['not by another leg', existing, { ...back, legNumber: 0 }, false],
    ['not by another account, even with the same client id', existing, { ...back, accountId: 'ac_2' }, false],
    ['not by another account, even with a proof', existing, { ...proven, accountId: 'ac_2' }, false],
    ['not by proof of another endpoint', existing, { ...nobody, provenEndpointId: 'ep_2' }, false],
    ['not by a second bind within the same session', existing, { ...back, sessionId: 'ts_old' }, false],
    ['not by an empty proof on a labelled tunnel', labelled, nobody, false],
  ])('%s', (_, held, claim, expected) => {
    expect(mayTakeOver(held, claim)).toBe(expected);
  });

  test('not by two agents that never got a client id', () => {
    const held = { ...existing, session: sessionRecord({ id: 'ts_old', clientId: '' }) };
    expect(mayTakeOver(held, { ...nobody, clientId: '', legNumber: 0 })).toBe(false);
  });
});
