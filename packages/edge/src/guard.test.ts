import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { EventEmitter } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Log } from './context.ts';
import { Faults, Guard } from './guard.ts';
import { dial, get, harness, type Harness } from './testing/http-harness.ts';
import { listening, nodeService } from './testing/services.ts';
import { endpoint, SILENT_LOG, upstream } from './testing/fixtures.ts';
import { BytePipe } from './connection/pipe.ts';
import { selfSigned } from './testing/certificate.ts';
import { createTimerWheel } from './timer-wheel.ts';

function listeningLog(): { log: Log; lines: { message: string; error: string }[] } {
  const lines: { message: string; error: string }[] = [];
  const log: Log = {
    ...SILENT_LOG,
    error: (fields, message) => {
      lines.push({ message, error: 'error' in fields ? String(fields.error) : '' });
    },
  };
  return { log, lines };
}

describe('a guard', () => {
  test('logs a mistake with its stack, counts it, and ends the connection once, also when its end fails', () => {
    const { log, lines } = listeningLog();
    const faults = new Faults(log);
    let ends = 0;
    const guard = new Guard(faults, createTimerWheel(), 'a test', () => {
      ends += 1;
      throw new Error('no end');
    });
    guard.run(() => {
      throw new Error('slip');
    });
    guard.wrap((text: string) => {
      throw new Error(text);
    })('another');
    expect(ends).toBe(1);
    expect(lines.map(({ error }) => error.split('\n')[0])).toEqual(['Error: slip', 'Error: no end', 'Error: another']);
    expect(lines[0]?.error).toContain('guard.test.ts');
    expect(faults.count).toBe(3);
  });

  test('holds timers: a mistake in one ends its connection, others fire, and the log may fail, too', async () => {
    const log: Log = {
      ...SILENT_LOG,
      error: () => {
        throw new Error('disk full');
      },
    };
    const faults = new Faults(log);
    const lost: unknown[] = [];
    const wheel = createTimerWheel({ resolution: 10, onFault: (error) => lost.push(error) });
    let ended = false;
    const guard = new Guard(faults, wheel, 'a test', () => {
      ended = true;
    });
    let fired = 0;
    for (const one of [wheel, guard]) {
      one.schedule(20, () => {
        throw new Error('slip');
      });
    }
    wheel.schedule(20, () => (fired += 1));
    guard.schedule(20, () => (fired += 1));
    await expect.poll(() => fired).toBe(2);
    expect(ended).toBe(true);
    expect(lost).toHaveLength(1);
    expect(faults.count).toBe(1);
  });
});

const ended = (emitter: EventEmitter): Promise<void> => new Promise((resolve) => void emitter.on('close', resolve));

/** One visitor's mistake; another's connection, over the same agent session, must not notice. */
describe('a mistake of ours costs one connection', () => {
  /** Where the mistake is: `traffic` is told at the very end of an exchange, in whatever callback that is. */
  async function faulty(http2: boolean): Promise<{
    edge: Harness & AsyncDisposable;
    service: AsyncDisposable;
    arm: () => void;
    /** Answers of `/slow` that are waited for. */
    slow: ServerResponse[];
  }> {
    const slow: ServerResponse[] = [];
    const service = await nodeService((request, response) => {
      if (request.url === '/slow') slow.push(response);
      else response.end('ok');
    });
    const edge = await harness({ http2, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    let armed = false;
    const push = edge.events.push.bind(edge.events);
    edge.events.push = (...events) => {
      if (armed) {
        armed = false;
        throw new TypeError('planted');
      }
      return push(...events);
    };
    return { edge, service, arm: () => (armed = true), slow };
  }

  test('over HTTP/1', async () => {
    const { edge, service, arm, slow } = await faulty(false);
    const other = edge.connect();
    let answer = '';
    other.on('data', (part: Buffer) => (answer += String(part)));
    other.write(get('/slow'));
    const victim = edge.connect();
    victim.on('error', () => {});
    await expect.poll(() => slow).toHaveLength(1);
    arm();
    victim.write(get('/'));
    const closed = ended(victim);
    victim.resume();
    await closed;
    slow[0]?.end('slow');
    // Its head and its body may come one after the other.
    await expect.poll(() => answer).toContain('slow');
    expect(edge.context.faults.count).toBe(1);
    expect(await edge.talk(get('/', 'Connection: close\r\n'))).toContain('ok');
    other.destroy();
    await edge[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  test('over HTTP/2', async () => {
    const { edge, service, arm, slow } = await faulty(true);
    const ask = (path: string) => {
      const session = connectHttp2(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      const stream = session.request({ ':path': path, ':authority': 'app.test' });
      stream.on('error', () => {});
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      return { session, text: () => text };
    };
    const other = ask('/slow');
    await expect.poll(() => slow).toHaveLength(1);
    arm();
    const victim = ask('/');
    await ended(victim.session);
    slow[0]?.end('slow');
    await expect.poll(() => other.text()).toBe('slow');
    expect(edge.context.faults.count).toBe(1);
    other.session.destroy();
    await edge[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  const PURPOSE = { clientAddr: '192.0.2.1:1', proto: 'tcp', edgeType: '0', passthroughTls: false } as const;
  const CLAIM = { network: '192.0.2.1', endpointId: 'ep_1', long: true };
  const IDENTITY = selfSigned('bytes.test');

  test.each(['tcp', 'tls'] as const)('of bytes, over %s', async (kind) => {
    await using echo = await listening(createServer((socket) => socket.on('error', () => {}).pipe(socket)));
    await using edge = await harness({ agents: { s1: dial(echo.port) } });
    let mistake: 'at the end' | 'in the flow' | null = null;
    const serve = (socket: Socket): void => {
      const pipe = new BytePipe(socket, edge.context, () => {
        if (mistake === 'at the end') throw new TypeError('planted');
      });
      if (mistake === 'in the flow') {
        pipe.onData = () => {
          throw new TypeError('planted');
        };
      }
      pipe.start(edge.context.agents.open(upstream('s1', 't1'), CLAIM, PURPOSE, null, pipe));
    };
    await using door = await listening(
      kind === 'tcp' ? createServer({ allowHalfOpen: true }, serve) : createTlsServer(IDENTITY, serve),
    );
    const visit = async (): Promise<Socket> => {
      const where = { host: '127.0.0.1', port: door.port };
      const socket = kind === 'tcp' ? connect(where) : connectTls({ ...where, rejectUnauthorized: false });
      socket.on('error', () => {});
      await once(socket, kind === 'tcp' ? 'connect' : 'secureConnect');
      return socket;
    };
    const echoed = async (socket: Socket): Promise<string> => {
      socket.write('hello');
      return String((await once(socket, 'data'))[0]);
    };
    const other = await visit();
    expect(await echoed(other)).toBe('hello');
    mistake = 'in the flow';
    const victim = await visit();
    victim.write('hello');
    victim.resume();
    await ended(victim);
    expect(edge.context.faults.count).toBe(1);
    expect(await echoed(other)).toBe('hello');
    mistake = 'at the end';
    other.destroy();
    await expect.poll(() => edge.context.faults.count).toBe(2);
    mistake = null;
    const next = await visit();
    expect(await echoed(next)).toBe('hello');
    next.destroy();
  });
});
