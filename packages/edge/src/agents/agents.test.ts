import {
  decodeErrorResponse,
  decodeLabelBindResponse,
  decodeServerInfoResponse,
  encodeErrorResponse,
  encodeLabelBind,
  encodePatchTunnel,
  encodeServerInfo,
  encodeUnbind,
  MuxErrorCode,
  StreamType,
  type MuxStream,
  type MuxStreamHandler,
} from '@postern/protocol';
import { describe, expect, test } from 'vitest';
import { endpoint, update, upstream } from '../testing/fixtures.ts';
import { freePort } from '../testing/free-port.ts';
import { edgeHarness, eventually, readAll, readBytes, type EdgeHarness } from '../testing/edge-harness.ts';
import { echo, IDLE } from '../testing/fake-agent.ts';

/** A command handler that answers with an error text; '' = done. */
function answer(text: string): (stream: MuxStream) => MuxStreamHandler {
  return (stream) => {
    stream.end(encodeErrorResponse(text));
    return IDLE;
  };
}

/** A TCP endpoint of session `ts_1`; resolves with its port. */
async function tcpEndpoint(harness: EdgeHarness): Promise<number> {
  const port = await freePort();
  await harness.control.push(endpoint('ep_tcp', 'tcp', 'localhost', { port, upstreams: [upstream('ts_1', 'ep_tcp')] }));
  return port;
}

describe('RPC', () => {
  test('Auth answers what the agent needs, once', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    expect(await agent.auth({ metadata: 'm' })).toMatchObject({
      version: '3',
      clientId: 'client-ts_1',
      cookie: 'cookie',
      region: 'local',
      accountName: 'Test',
      sessionId: 'ts_1',
    });
    expect(harness.control.auths[0]?.metadata).toBe('m');
    expect((await agent.auth()).error).toMatch(/twice[^]*\nERR_NGROK_109\n/);
    expect((await harness.edge.stats()).agentSessions).toBe(1);
  });

  test('a refused Auth says why with the code on a line of its own, and the agent may try again', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    expect((await agent.auth({ authtoken: 'bad' })).error).toMatch(/\n\nERR_NGROK_107\n$/);
    expect((await agent.auth({ versions: ['1'] })).error).toMatch(/ERR_NGROK_120/);
    expect((await agent.auth()).error).toBeUndefined();
  });

  test('before Auth only SrvInfo and heartbeats are answered', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    const info = await agent.call(StreamType.serverInfo, encodeServerInfo());
    expect(decodeServerInfoResponse(info)).toEqual({ region: 'local' });
    expect((await agent.bind('https://a.example.test')).error).toMatch(/before Auth[^]*ERR_NGROK_109/);
    const beat = Buffer.from([1, 2, 3, 4]);
    const echoed = await new Promise<Buffer>((resolve) => {
      agent.mux.open(StreamType.heartbeat, { ...IDLE, onData: (chunk) => resolve(Buffer.from(chunk)) }, beat);
    });
    expect(echoed).toEqual(beat);
  });

  test('a bind that comes while Auth is being answered waits for it', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    const [auth, bound] = await Promise.all([agent.auth(), agent.bind('https://early.example.test')]);
    expect(auth.error).toBeUndefined();
    expect(bound).toMatchObject({ url: 'https://early.example.test', proto: 'https' });
    expect(bound.error).toBeUndefined();
  });

  test('the answer says that TLS ends here where it does', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const mutual = { MutualTLSAtEdge: { mutual_tls_ca: Buffer.from('ca').toString('base64') } };
    expect((await agent.bind('tls://b.example.test', mutual)).opts).toMatchObject({ TLSTermination: {} });
    expect((await agent.bind('tls://c.example.test')).opts).not.toHaveProperty('TLSTermination');
  });

  test('bind, re-bind, labels, patch and unbind reach control', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const bound = await agent.bind('https://a.example.test', { Compression: {} });
    expect(bound).toMatchObject({ url: 'https://a.example.test', proto: 'https', tunnelId: `tn_${bound.id}` });
    // The Opts come back, with what the strictest agent needs besides.
    expect(bound.opts).toMatchObject({ URL: 'https://a.example.test', Compression: {}, Hostname: '', ProxyProto: 0 });
    expect((await agent.bind('https://a.example.test', {}, bound.id)).id).toBe(bound.id);
    expect((await agent.bind('gopher://a')).error).toMatch(/ERR_NGROK_9037/);
    const labels = { id: '', labels: { a: 'b' }, forwardsTo: '', forwardsProto: '', metadata: '' };
    const labelled = decodeLabelBindResponse(await agent.call(StreamType.bindLabels, encodeLabelBind(labels)));
    expect(labelled.id).toMatch(/^tn_/);
    await agent.call(StreamType.patchTunnel, encodePatchTunnel({ tunnelId: 'tn_1', name: 'n' }));
    expect(harness.control.patches).toEqual([{ tunnelId: 'tn_1', name: 'n' }]);
    for (const id of [bound.id, bound.id, 'unknown'])
      expect(decodeErrorResponse(await agent.call(StreamType.unbind, encodeUnbind(id)))).toBe('');
    expect((await harness.edge.stats()).endpoints).toBe(0);
  });

  test('unknown stream types and unreadable messages get an Error, not silence', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    expect(decodeErrorResponse(await agent.call(77, Buffer.from('{}')))).toMatch(/type 77[^]*ERR_NGROK_109/);
    expect(decodeErrorResponse(await agent.call(StreamType.unbind, Buffer.from('[1]')))).toMatch(/ERR_NGROK_109/);
    expect(decodeErrorResponse(await agent.call(StreamType.unbind, Buffer.from('{"Id":7}')))).toMatch(/Id/);
  });

  test('a message beyond the limit is refused', async () => {
    await using harness = await edgeHarness({ limits: { rpcBytes: 200_000 } });
    const agent = await harness.agent();
    const huge = await agent.bind('https://a.example.test', { TrafficPolicy: 'x'.repeat(250_000) });
    expect(huge.error).toMatch(/longer than 200000 bytes/);
    expect((await agent.bind('https://a.example.test', { TrafficPolicy: 'x'.repeat(100_000) })).error).toBeUndefined();
  });
});

describe.concurrent('sessions', () => {
  test('a closed connection ends the session at once, and control is told once', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const ended = harness.control.nextEnd();
    agent.close();
    await ended;
    expect(harness.control.ended).toHaveLength(1);
    expect((await harness.edge.stats()).agentSessions).toBe(0);
  });

  test('a silent agent is noticed within interval, tolerance and slack', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    await agent.auth({ heartbeatInterval: 200, heartbeatTolerance: 500 });
    const started = performance.now();
    agent.freeze();
    await harness.control.nextEnd();
    const took = performance.now() - started;
    // Never before; and the default times would outlast the test.
    expect(took).toBeGreaterThan(700);
    expect(harness.control.ended[0]?.reason).toMatch(/silent/);
  });

  test('an agent that only echoes our heartbeats stays', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    // So tolerant that a process that stands still for a moment is none of the silent ones, and no longer than this waits.
    await agent.auth({ heartbeatInterval: 200, heartbeatTolerance: 3_000 });
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(harness.control.ended).toHaveLength(0);
    expect((await harness.edge.stats()).agentSessions).toBe(1);
  });

  test('a session that control closes in the moment of its acceptance does not stay', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    harness.control.edge.closeSession('ts_1', 'revoked');
    await agent.auth().catch(() => undefined);
    await agent.closed;
    expect((await harness.edge.stats()).agentSessions).toBe(0);
    expect(harness.control.ended).toEqual([{ sessionId: 'ts_1', reason: 'revoked' }]);
  });

  test('control can close a session', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    harness.control.edge.closeSession('ts_1', 'displaced');
    await agent.closed;
    await eventually(() => harness.control.ended.length > 0);
    expect(harness.control.ended).toEqual([{ sessionId: 'ts_1', reason: 'displaced' }]);
  });

  test('garbage instead of frames ends the connection', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.socket.write(Buffer.alloc(64, 0x12));
    await agent.closed;
    // Where the edge is another process, the end of the wire may be here before its message.
    await eventually(() => harness.control.ended.length > 0);
    expect(harness.control.ended).toHaveLength(1);
  });
});

describe('commands', () => {
  test('reach the agent, and its answer comes back', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.commands.set(StreamType.stop, answer(''));
    agent.commands.set(StreamType.update, answer('not this one'));
    expect(await harness.control.edge.agentCommand('ts_1', { kind: 'stop' })).toBe('');
    const command = { kind: 'update', version: '4.0.0', permitMajorVersion: true } as const;
    expect(await harness.control.edge.agentCommand('ts_1', command)).toBe('not this one');
  });

  test('an agent that stops instead of answering has obeyed', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.commands.set(StreamType.stop, () => {
      agent.close();
      return IDLE;
    });
    expect(await harness.control.edge.agentCommand('ts_1', { kind: 'stop' })).toBe('');
  });

  test('StopTunnel carries id, words and code', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const message = new Promise<string>((resolve) => {
      agent.commands.set(StreamType.stopTunnel, (stream) => ({
        ...IDLE,
        onData: (chunk) => resolve(String(chunk)),
        onEnd: () => stream.end(),
      }));
    });
    harness.control.edge.stopTunnel('ts_1', 'ep_1', 'gone', 'ERR_NGROK_1');
    expect(JSON.parse(await message)).toEqual({ Id: 'ep_1', Message: 'gone', ErrorCode: 'ERR_NGROK_1' });
  });
});

describe.concurrent('streams', () => {
  test('beyond the cap a connection waits for room, and is let in when there is some', async () => {
    await using harness = await edgeHarness({ limits: { streamsPerSession: 4 } });
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await tcpEndpoint(harness);
    // The heartbeat counts as well.
    const visitors = await Promise.all(Array.from({ length: 6 }, () => harness.tcp(port)));
    for (const visitor of visitors) visitor.write('x');
    await eventually(() => agent.headers.length >= 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const admitted = agent.headers.length;
    expect(admitted).toBeLessThanOrEqual(4);
    for (const visitor of visitors) visitor.end();
    await Promise.all(visitors.map(async (visitor) => expect(String(await readAll(visitor))).toBe('x')));
    expect(agent.headers).toHaveLength(6);
  });

  test('who waits too long is turned away', async () => {
    await using harness = await edgeHarness({ limits: { streamsPerSession: 2, queueMs: 200 } });
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await tcpEndpoint(harness);
    const visitors = await Promise.all([harness.tcp(port), harness.tcp(port), harness.tcp(port)]);
    await Promise.race(visitors.map((visitor) => readAll(visitor)));
    await eventually(async () => (await harness.control.events()).some((event) => event.errorCode === 'ERR_NGROK_743'));
  });

  test('when the agent is lost its visitors see a broken connection, not an end', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await tcpEndpoint(harness);
    const visitor = await harness.tcp(port);
    visitor.write('x');
    await readBytes(visitor, 1);
    const error = new Promise<Error>((resolve) => visitor.once('error', resolve));
    agent.close();
    expect((await error).message).toMatch(/ECONNRESET/);
    expect((await harness.control.events())[0]?.reason).toBe('agent-gone');
  });

  test('what a visitor ends is an end for the agent, and what he cuts a reset', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const seen: string[] = [];
    const streams: MuxStream[] = [];
    agent.onStream((one) => {
      streams.push(one);
      one.write(Buffer.from('hi'));
      return {
        ...IDLE,
        onEnd: () => seen.push('end'),
        onReset: (code) => seen.push(`reset ${code}`),
      };
    });
    const port = await tcpEndpoint(harness);
    const visitor = await harness.tcp(port);
    await readBytes(visitor, 2);
    visitor.end();
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['end']);
    streams[0]?.end();
    const other = await harness.tcp(port);
    await readBytes(other, 2);
    other.resetAndDestroy();
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['end', `reset ${MuxErrorCode.streamCancelled}`]);
    await eventually(async () => (await harness.control.events()).length === 2);
    const reasons = (await harness.control.events()).map(({ reason }) => reason);
    expect(reasons).toEqual(['complete', 'client-gone']);
  });

  test('an idle connection is ended', async () => {
    await using harness = await edgeHarness({ limits: { idleMs: 300 } });
    const agent = await harness.agent();
    agent.onStream(echo);
    const visitor = await harness.tcp(await tcpEndpoint(harness));
    await readAll(visitor);
    await eventually(async () => (await harness.control.events()).length === 1);
    expect((await harness.control.events())[0]?.reason).toBe('idle');
  });

  test('PROXY headers precede the bytes of those who asked for them', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await freePort();
    await agent.bind(`tcp://localhost:${port}`, { ProxyProto: 1 });
    const visitor = await harness.tcp(port);
    visitor.end('x');
    const expected = `PROXY TCP4 127.0.0.1 127.0.0.1 ${visitor.localPort} ${port}\r\nx`;
    expect(String(await readAll(visitor))).toBe(expected);
  });

  test('a stalled reader does not make the server hold more than the window', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const block = Buffer.alloc(65_536, 1);
    let sent = 0;
    agent.onStream((stream) => {
      const pour = (): void => {
        while (stream.write(block)) sent += block.length;
      };
      setImmediate(pour);
      return { ...IDLE, onDrain: pour };
    });
    const port = await tcpEndpoint(harness);
    const visitor = await harness.tcp(port);
    visitor.pause();
    await eventually(() => sent > 0);
    let last = -1;
    while (last !== sent) {
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // Both socket buffers, the window and the agent's own queue; a server that keeps reading would go on for ever.
    expect(sent).toBeLessThan(16_000_000);
    // The session is not stalled by its one slow stream.
    expect((await agent.bind('https://a.example.test')).error).toBeUndefined();
  });

  test('a pool spreads over its online members', async () => {
    await using harness = await edgeHarness();
    const agents = [await harness.agent(), await harness.agent()];
    for (const agent of agents) agent.onStream(echo);
    const port = await freePort();
    await harness.control.edge.applyRoutes(
      update(100, {
        upserts: ['ts_1', 'ts_2', 'ts_offline'].map((session) =>
          endpoint(`ep_${session}`, 'tcp', 'localhost', {
            port,
            pooling: true,
            upstreams: [upstream(session, session)],
          }),
        ),
      }),
    );
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const visitor = await harness.tcp(port);
        visitor.end('x');
        expect(String(await readAll(visitor))).toBe('x');
      }),
    );
    for (const agent of agents) expect(agent.headers.length).toBeGreaterThan(5);
  });
});
