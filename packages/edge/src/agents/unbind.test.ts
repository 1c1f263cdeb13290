/** An agent takes an endpoint back. */
import { encodeUnbind, StreamType } from '@postern/protocol';
import { expect, test } from 'vitest';
import { edgeHarness, eventually, readBytes } from '../testing/edge-harness.ts';
import { IDLE } from '../testing/fake-agent.ts';

test('what is kept for visitors of an endpoint ends when its agent takes it back, and nothing else', async () => {
  await using harness = await edgeHarness({ limits: { upstreamIdleMs: 3_600_000 } });
  const agent = await harness.agent();
  const ended: string[] = [];
  agent.onStream((stream, { id }) => {
    // The request has come with the stream's header.
    stream.write(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    return { ...IDLE, onEnd: () => void ended.push(id) };
  });
  const first = await agent.bind('http://first.example.test');
  const second = await agent.bind('http://second.example.test');
  const visitors = await Promise.all(['first', 'second'].map(() => harness.tcp(harness.edge.addresses.http.port)));
  for (const [at, name] of ['first', 'second'].entries())
    visitors[at]?.write(`GET / HTTP/1.1\r\nHost: ${name}.example.test\r\n\r\n`);
  await Promise.all(visitors.map((visitor) => readBytes(visitor, 2)));
  expect(ended).toEqual([]);
  await agent.call(StreamType.unbind, encodeUnbind(second.id));
  await eventually(() => ended.length > 0);
  expect(ended).toEqual([second.id]);
  await agent.call(StreamType.unbind, encodeUnbind(first.id));
  await eventually(() => ended.length > 1);
  expect(ended).toEqual([second.id, first.id]);
});
