import {
  decodeErrorResponse,
  decodeServerInfoResponse,
  encodeLabelBind,
  encodePatchTunnel,
  encodeServerInfo,
  encodeUnbind,
  StreamType,
} from '@postern/protocol';
import { describe, expect, test } from 'vitest';
import { edgeHarness } from '../testing/edge-harness.ts';

describe('an RPC', () => {
  test.each(['authenticate', 'bind', 'bindLabels', 'unbind', 'patchTunnel'] as const)(
    'a mistake of ours in %s ends that question, is counted, and the session serves on',
    async (call) => {
      await using harness = await edgeHarness();
      const agent = await harness.agent();
      const asking = call === 'authenticate' ? await harness.dialAgent() : agent;
      harness.control[call] = () => {
        throw new TypeError('planted');
      };
      const answers = {
        authenticate: async () => (await asking.auth()).error,
        bind: async () => (await asking.bind('https://a.example.test')).error,
        bindLabels: async () => {
          const labels = { id: '', labels: { a: 'b' }, forwardsTo: '', forwardsProto: '', metadata: '' };
          return decodeErrorResponse(await asking.call(StreamType.bindLabels, encodeLabelBind(labels)));
        },
        unbind: async () => decodeErrorResponse(await asking.call(StreamType.unbind, encodeUnbind('x'))),
        patchTunnel: async () =>
          decodeErrorResponse(
            await asking.call(StreamType.patchTunnel, encodePatchTunnel({ tunnelId: 'tn_1', name: 'n' })),
          ),
      };
      expect(await answers[call]()).toContain('inside the server');
      expect((await harness.edge.stats()).faults).toBe(1);
      expect(decodeServerInfoResponse(await agent.call(StreamType.serverInfo, encodeServerInfo()))).toBeDefined();
      expect(asking.mux.ended).toBe(false);
    },
  );

  test('a mistake of ours where an answer is written ends that stream alone', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    // What cannot be encoded.
    harness.control.bind = () => Promise.resolve(JSON.parse('null'));
    expect((await agent.bind('https://a.example.test')).error).toContain('inside the server');
    expect((await harness.edge.stats()).faults).toBe(1);
    expect(agent.mux.ended).toBe(false);
  });
});
