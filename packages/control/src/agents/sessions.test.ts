import { beforeEach, describe, expect, test } from 'vitest';
import { CONFIG, useStore, type Harness } from '../testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

describe('who gets in', () => {
  test('an agent with the first authtoken', async () => {
    const session = await h.connect({ metadata: 'laptop' }, '[::1]');
    expect(session).toMatchObject({ accountId: h.caller.accountId, clientId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await h.control.api.tunnelSessions.get(h.caller, session.sessionId)).toMatchObject({
      ip: '::1',
      metadata: 'laptop',
      transport: 'ngrok/3',
      os: 'linux',
      agentVersion: '1.7.0',
      startedAt: '2026-11-24T12:00:00Z',
    });
  });

  test('an old agent is answered in its version', async () => {
    const { sessionId } = await h.connect({ versions: ['2'] });
    expect(await h.control.api.tunnelSessions.get(h.caller, sessionId)).toMatchObject({ transport: 'ngrok/2' });
  });

  test.each([
    [{ authtoken: '' }, 4018],
    [{ authtoken: 'nonsense' }, 105],
    [{ authtoken: `${'0'.repeat(27)}_${'x'.repeat(21)}` }, 107],
    [{ versions: ['1'] }, 120],
    [{ metadata: 'x'.repeat(4097) }, 100],
  ])('%j is refused with %i', async (request, number) => {
    await expect(h.connect(request)).rejects.toMatchObject({ number });
  });

  test('an API key is told apart from an authtoken, both ways', async () => {
    await expect(h.connect({ authtoken: h.apiKey })).rejects.toMatchObject({ number: 90_050 });
    const { api } = h.control;
    await expect(api.authenticateApiKey(h.authtoken)).rejects.toMatchObject({ number: 206 });
    await expect(api.authenticateApiKey(h.caller.apiKeyId)).rejects.toMatchObject({ number: 208 });
    await expect(api.authenticateApiKey('nonsense')).rejects.toMatchObject({ number: 202 });
    const almost = `${h.apiKey.slice(0, -1)}${h.apiKey.endsWith('x') ? 'y' : 'x'}`;
    await expect(api.authenticateApiKey(almost)).rejects.toMatchObject({ number: 203 });
    await expect(api.authenticateApiKey(almost)).rejects.not.toThrow(almost);
  });

  test('no more sessions than the account may have', async () => {
    const small = await fresh({ limits: { ...CONFIG.limits, sessions: 1, endpointsPerSession: 9, applyMs: 1000 } });
    const first = await small.connect();
    await expect(small.connect()).rejects.toMatchObject({ number: 108 });
    await small.connect({ clientId: first.clientId, cookie: first.cookie });
  });

  test("somebody else's client id without the cookie is not taken over", async () => {
    const first = await h.connect();
    const thief = await h.connect({ clientId: first.clientId });
    expect(thief.clientId).not.toBe(first.clientId);
    const forged = await h.connect({ clientId: first.clientId, cookie: `${first.cookie}x` });
    expect(forged.clientId).not.toBe(first.clientId);
    expect(h.edge.closed).toEqual([]);
  });
});

describe('revoking', () => {
  test('a deleted credential ends its sessions, and a return is 300', async () => {
    const { id, token } = await h.control.api.credentials.create(h.caller, {});
    const authtoken = token ?? '';
    const session = await h.connect({ authtoken });
    await h.bind(session, { domain: 'a.example.test' });
    const other = await h.connect();
    expect(await h.control.api.credentials.remove(h.caller, id)).toBe(true);
    expect(h.edge.closed.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    expect(h.edge.closed[0]?.reason).toContain('deleted');
    expect(h.edge.routes.size).toBe(0);
    expect(await h.control.api.tunnelSessions.get(h.caller, other.sessionId)).not.toBeNull();
    await expect(h.bind(session, {})).rejects.toMatchObject({ number: 90_052 });
    const { clientId, cookie } = session;
    await expect(h.connect({ authtoken, clientId, cookie })).rejects.toMatchObject({ number: 300 });
    await expect(h.connect({ authtoken })).rejects.toMatchObject({ number: 107 });
  });

  test('a deleted API key stops working at once', async () => {
    const { apiKeys } = h.control.api;
    const { id, token } = await apiKeys.create(h.caller, { description: 'ci' });
    const caller = await h.control.api.authenticateApiKey(token ?? '');
    expect(caller).toMatchObject({ accountId: h.caller.accountId, apiKeyId: id });
    expect(await apiKeys.remove(h.caller, id)).toBe(true);
    await expect(h.control.api.authenticateApiKey(token ?? '')).rejects.toMatchObject({ number: 203 });
  });

  test('what an inactive bot user owns does not work', async () => {
    const { botUsers, credentials, apiKeys } = h.control.api;
    const bot = await botUsers.create(h.caller, { name: 'ci' });
    const authtoken = (await credentials.create(h.caller, { ownerId: bot.id })).token ?? '';
    const key = (await apiKeys.create(h.caller, { ownerId: bot.id.replace('bot_', 'service_') })).token ?? '';
    const session = await h.connect({ authtoken });
    await h.bind(session, { domain: 'a.example.test' });
    const [row] = (await h.control.api.endpoints.list(h.caller, { limit: 1 })).items;
    expect(row?.principalId).toBe(bot.id);
    expect(await h.control.api.authenticateApiKey(key)).toMatchObject({ principal: { id: bot.id } });

    await botUsers.update(h.caller, bot.id, { active: false });
    expect(h.edge.closed.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    await expect(h.connect({ authtoken })).rejects.toMatchObject({ number: 636 });
    await expect(h.control.api.authenticateApiKey(key)).rejects.toMatchObject({ number: 636 });

    await botUsers.remove(h.caller, bot.id);
    await expect(h.connect({ authtoken })).rejects.toMatchObject({ number: 107 });
    await expect(h.control.api.authenticateApiKey(key)).rejects.toMatchObject({ number: 203 });
  });

  test('reset makes new first credentials and ends what used the old ones', async () => {
    const session = await h.connect();
    const made = await h.control.resetCredentials(async () => {});
    expect(h.edge.closed.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    await expect(h.connect()).rejects.toMatchObject({ number: 107 });
    await expect(h.control.api.authenticateApiKey(h.apiKey)).rejects.toMatchObject({ number: 203 });
    await h.connect({ authtoken: made.authtoken ?? '' });
    await h.control.api.authenticateApiKey(made.apiKey ?? '');
    expect(await h.control.bootstrap(async () => {})).toBeNull();
    expect(await h.control.knows(made.authtoken)).toBe(true);
    expect(await h.control.knows(made.apiKey)).toBe(true);
    expect(await h.control.knows(h.authtoken)).toBe(false);
  });

  /** However the two fall, nobody is left inside with a token that is no longer one. */
  test.each([0, 1, 2, 4, 8, 16, 32])('an agent that comes in while its token goes, %i turns apart', async (turns) => {
    const { botUsers, credentials, tunnelSessions } = h.control.api;
    const wait = async () => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    };
    const bot = await botUsers.create(h.caller, { name: 'ci' });
    const { id, token } = await credentials.create(h.caller, {});
    const owned = await credentials.create(h.caller, { ownerId: bot.id });
    const revoke = [
      [token ?? '', () => credentials.remove(h.caller, id)],
      [owned.token ?? '', () => botUsers.update(h.caller, bot.id, { active: false })],
      [h.authtoken, () => h.control.resetCredentials(async () => {})],
    ] as const;
    for (const [authtoken, run] of revoke) {
      for (const first of ['agent', 'revocation']) {
        const going = first === 'revocation' ? run() : null;
        if (going !== null) await wait();
        const coming = h.connect({ authtoken }).then(
          ({ sessionId }) => sessionId,
          () => null,
        );
        if (going === null) await wait();
        await (going ?? run());
        const sessionId = await coming;
        if (sessionId !== null) expect(h.edge.closed.map((closed) => closed.sessionId)).toContain(sessionId);
        expect((await tunnelSessions.list(h.caller, { limit: 9 })).items).toEqual([]);
      }
    }
  });

  test('the default credential stays', async () => {
    const [row] = (await h.control.api.credentials.list(h.caller, { limit: 10 })).items;
    expect(row).toMatchObject({ token: null, ownerId: h.caller.principal.id, acl: [] });
    await expect(h.control.api.credentials.remove(h.caller, row?.id ?? '')).rejects.toMatchObject({ number: 601 });
  });
});

describe('remote commands', () => {
  test('reach the agent', async () => {
    const { sessionId } = await h.connect();
    expect(await h.control.api.tunnelSessions.stop(h.caller, sessionId)).toBe(true);
    expect(await h.control.api.tunnelSessions.update(h.caller, sessionId, '3.31.0')).toBe(true);
    expect(h.edge.commands.map(({ command }) => command)).toEqual([
      { kind: 'stop' },
      { kind: 'update', version: '3.31.0', permitMajorVersion: false },
    ]);
    expect(await h.control.api.tunnelSessions.stop(h.caller, 'ts_none')).toBe(false);
  });

  test.each([
    ['stop', 805, 807],
    ['restart', 804, 808],
    ['update', 806, 809],
  ] as const)('%s: refused beforehand %i, failed there %i', async (verb, refused, failed) => {
    const sessions = h.control.api.tunnelSessions;
    const old = await h.connect({ stopUnsupported: null, restartUnsupported: null, updateUnsupported: null });
    await expect(sessions[verb](h.caller, old.sessionId, '')).rejects.toMatchObject({ number: refused });
    const reason = 'run by a supervisor';
    const able = { stopUnsupported: reason, restartUnsupported: reason, updateUnsupported: reason };
    const unwilling = await h.connect(able);
    await expect(sessions[verb](h.caller, unwilling.sessionId, '')).rejects.toThrow(reason);
    h.edge.commandAnswer = 'no handler';
    const willing = await h.connect();
    await expect(sessions[verb](h.caller, willing.sessionId, '')).rejects.toMatchObject({ number: failed });
  });
});
