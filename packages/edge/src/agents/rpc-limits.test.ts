import { decodeServerInfoResponse, encodeServerInfo, StreamType } from '@postern/protocol';
import { describe, expect, test } from 'vitest';
import { edgeHarness } from '../testing/edge-harness.ts';
import { IDLE } from '../testing/fake-agent.ts';

describe('what an agent may ask', () => {
  test('before Auth a handful of questions are answered, then the connection ends', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    let answered = 0;
    for (let i = 0; i < 1_000 && !agent.mux.ended; i++) {
      const stream = agent.mux.open(StreamType.serverInfo, { ...IDLE, onData: () => answered++ }, encodeServerInfo());
      stream.end();
    }
    await agent.closed;
    expect(answered).toBeLessThanOrEqual(16);
    expect((await harness.edge.stats()).agentSessions).toBe(0);
  });

  test('before Auth no more bytes are taken than anybody needs who is about to authenticate', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    const beats = agent.mux.open(StreamType.heartbeat, IDLE);
    for (let sent = 0; sent < 2_000_000 && !agent.mux.ended; sent += 100_000) {
      beats.write(Buffer.alloc(100_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await agent.closed;
  });

  test('after Auth two thousand short calls in a burst are all answered, also when their streams stay open', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const calls = Array.from({ length: 2_000 }, (_, i) =>
      // Some agents leave their side open after the answer.
      i % 2 === 0
        ? agent.call(StreamType.serverInfo, encodeServerInfo())
        : new Promise<unknown>((resolve, reject) => {
            let text = '';
            const handler = {
              ...IDLE,
              onData: (chunk: Buffer) => void (text += String(chunk)),
              onEnd: () => resolve(JSON.parse(text)),
              onReset: (code: number) => reject(new Error(`reset with ${code}`)),
            };
            agent.mux.open(StreamType.serverInfo, handler, encodeServerInfo());
          }),
    );
    const answers = await Promise.all(calls);
    expect(answers.map(decodeServerInfoResponse)).toEqual(answers.map(() => ({ region: 'local' })));
    expect(agent.mux.ended).toBe(false);
  });

  test('binds beyond the pace of an account are told so, and the session lives', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const outcomes = Promise.all(
      Array.from({ length: 2_500 }, (_, i) => agent.bind(`https://n${i}.example.test`).catch(String)),
    );
    // 500 at once, 500 more within the ten seconds that a bind may wait; what is beyond is answered at once. That is so
    // many more that a busy machine, which lets others in meanwhile, does not come to the end of them.
    const first = await Promise.race([
      outcomes,
      new Promise<string>((resolve) => {
        const ask = (): void => {
          void agent.bind('https://late.example.test').then(
            (bound) => (/ERR_NGROK_90053/.test(bound.error ?? '') ? resolve(bound.error ?? '') : undefined),
            () => {},
          );
        };
        for (let i = 0; i < 4; i++) ask();
      }),
    ]);
    expect(first).toMatch(/ERR_NGROK_90053/);
    expect(agent.mux.ended).toBe(false);
    agent.socket.destroy();
    await outcomes;
  });
});
