import { Ngrok } from '@ngrok/ngrok-api';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiUnderTest, onLoopback } from './testing/api-under-test.ts';
import { API_KEY, endpointView, idOf } from './testing/fake-control.ts';

/** The published client, unmodified: what it can do against the cloud it can do here (api.md §8). */
describe('@ngrok/ngrok-api 0.11.0', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()));
  });

  async function connected() {
    const base = { url: '' };
    const under = await createApiUnderTest({ publicBaseUrl: () => base.url, closeGraceMs: 60_000 });
    open.push(under.api);
    const { port } = await under.api.listen(onLoopback(0));
    base.url = `http://127.0.0.1:${port}`;
    return { ...under, ngrok: new Ngrok({ apiToken: API_KEY, baseUrl: base.url }) };
  }

  it('lists over several pages and gets one', async () => {
    const { ngrok, endpoints } = await connected();
    for (let n = 1; n <= 23; n += 1) {
      endpoints.push(endpointView({ id: idOf('ep', n), url: `https://h${n}.example.com` }));
    }
    const all = await ngrok.endpoints.list(undefined, '10');
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 23 }, (_none, index) => idOf('ep', 23 - index)));
    expect(await ngrok.endpoints.get(idOf('ep', 7))).toMatchObject({ hostport: 'h7.example.com:443', proto: 'https' });
    expect(await ngrok.tunnels.list()).toHaveLength(2);
    expect(await ngrok.tunnelSessions.get(idOf('ts', 1))).toMatchObject({ agentVersion: '3.30.0' });
  });

  it('creates, changes and deletes, which it cannot where 204 is empty', async () => {
    const { ngrok, sessions } = await connected();
    const key = await ngrok.apiKeys.create({ description: 'ci' });
    expect(key.token).toMatch(/^[0-9A-Za-z]{27}_[0-9A-Za-z]{21}$/);
    expect((await ngrok.apiKeys.update({ id: key.id, description: 'changed' })).description).toBe('changed');
    await ngrok.apiKeys.delete(key.id);
    expect(await ngrok.apiKeys.list()).toEqual([]);
    await ngrok.tunnelSessions.stop(idOf('ts', 1));
    expect(sessions.stopped).toEqual([idOf('ts', 1)]);
    const edge = await ngrok.edges.edgesTls.create({ hostports: ['a.example.com:443'] });
    const module = await ngrok.edgeModules.tlsEdgeBackendModule.replace({
      id: edge.id,
      module: { enabled: true, backendId: idOf('bkdtg', 1) },
    });
    expect(module.backend.id).toBe(idOf('bkdtg', 1));
  });

  it('decodes our errors', async () => {
    const { ngrok } = await connected();
    const error: unknown = await ngrok.endpoints.get('ep_wrong').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ errorCode: 'ERR_NGROK_222', statusCode: 404, details: expect.any(Map) });
    const missing: unknown = await ngrok.endpoints.get(idOf('ep', 1)).catch((thrown: unknown) => thrown);
    expect(missing).toMatchObject({ statusCode: 404, msg: 'Resource not found' });
  });
});
