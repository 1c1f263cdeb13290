import net, { type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { type Address, everyAddress, withBothLoopbacks } from '../config/addresses.ts';
import { movedToFreePorts } from '../config/demo-ports.ts';
import { resolveConfig, type ServerConfig } from '../config/server-config.ts';
import { Doors, openDoor } from './doors.ts';
import { bindAll, checkAddresses, listen } from './listen.ts';
import { listeners, runtimeFields } from './list.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((clean) => clean()));
});

async function blocker(): Promise<number> {
  const server = net.createServer();
  cleanups.push(() => server.close());
  return listen(server, { host: '127.0.0.1', port: 0 });
}
function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    cleanups.push(() => socket.destroy());
  });
}
const hasIpv6 = await (async () => {
  const probe = net.createServer();
  try {
    await listen(probe, { host: '::1', port: 0 });
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
})();

describe('binding every address of a listener', () => {
  const bindWith =
    (servers: Server[]) =>
    (address: Address): Promise<number> => {
      const server = net.createServer((socket) => socket.destroy());
      servers.push(server);
      cleanups.push(() => server.close());
      return listen(server, address);
    };

  test('port 0 is one port on both loopbacks', async () => {
    const servers: Server[] = [];
    const bound = await bindAll('--x', withBothLoopbacks({ host: '127.0.0.1', port: 0 }), bindWith(servers));
    expect(bound).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    await dial('127.0.0.1', bound.port);
    if (hasIpv6) await dial('::1', bound.port);
    expect(servers).toHaveLength(2);
  });

  test('a taken port is told with the flag, the address and what to do', async () => {
    const port = await blocker();
    await expect(bindAll('--x-listen', [{ host: '127.0.0.1', port }], bindWith([]))).rejects.toThrow(
      `--x-listen 127.0.0.1:${port}: the port is taken. Stop what uses it, or name another port`,
    );
    await expect(bindAll('--x-listen', [{ host: '192.0.2.1', port: 0 }], bindWith([]))).rejects.toThrow(
      '--x-listen 192.0.2.1:0: this machine does not have the address',
    );
    await expect(bindAll('--x-listen', [], bindWith([]))).rejects.toThrow('an address is needed');
  });

  test('an address that nobody named and the machine lacks is left out', async () => {
    const addresses = [
      { host: '127.0.0.1', port: 0 },
      { host: '192.0.2.1', port: 0, optional: true },
    ];
    expect(await bindAll('--x', addresses, bindWith([]))).toMatchObject({ host: '127.0.0.1' });
  });

  test('one that was named has to be there, whichever of them it is', async () => {
    const addresses = everyAddress([
      { host: '127.0.0.1', port: 0 },
      { host: '192.0.2.1', port: 0 },
    ]);
    await expect(bindAll('--x-listen', addresses, bindWith([]))).rejects.toThrow(
      /--x-listen 192\.0\.2\.1:\d+: this machine does not have the address/,
    );
    await expect(checkAddresses('--tcp-listen', addresses)).rejects.toThrow('--tcp-listen 192.0.2.1');
    await checkAddresses('--tcp-listen', everyAddress([{ host: '127.0.0.1', port: 0 }]));
  });

  test('both loopbacks named are two addresses, not three', () => {
    const named = [
      { host: '127.0.0.1', port: 80 },
      { host: '::1', port: 80 },
    ];
    expect(everyAddress(named)).toEqual(named);
    expect(everyAddress(named.toReversed())).toHaveLength(2);
    expect(everyAddress(named.toReversed()).every(({ optional }) => optional === undefined)).toBe(true);
  });
});

describe('the door for agents', () => {
  test('holds who comes early, with what he says, and lets him in when it is served', async () => {
    const door = await openDoor('--agent-listen', [{ host: '127.0.0.1', port: 0 }]);
    cleanups.push(() => door.close());
    const early = await dial('127.0.0.1', door.address.port);
    early.write('hello');
    const leaver = await dial('127.0.0.1', door.address.port);
    leaver.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));

    const said: string[] = [];
    door.serve((socket) => {
      socket.on('data', (chunk) => {
        said.push(String(chunk));
        socket.end('welcome');
      });
    });
    const [answer] = await once(early, 'data');
    expect(String(answer)).toBe('welcome');
    const late = await dial(hasIpv6 ? '::1' : '127.0.0.1', door.address.port);
    late.write('me too');
    expect(String((await once(late, 'data'))[0])).toBe('welcome');
    expect(said).toEqual(['hello', 'me too']);
  });

  test('that is closed before it is served turns away who waits', async () => {
    const door = await openDoor('--agent-listen', [{ host: '127.0.0.1', port: 0 }]);
    const early = await dial('127.0.0.1', door.address.port);
    early.on('error', () => {});
    const gone = once(early, 'close');
    await new Promise((resolve) => setTimeout(resolve, 20));
    door.close();
    await gone;
    await expect(dial('127.0.0.1', door.address.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('names its flag when it cannot open', async () => {
    const port = await blocker();
    await expect(openDoor('--agent-listen', [{ host: '127.0.0.1', port }])).rejects.toThrow(
      `--agent-listen 127.0.0.1:${port}`,
    );
  });
});

describe('the demo', () => {
  const config = (port: number): ServerConfig =>
    resolveConfig(
      [
        Object.fromEntries(
          ['api_listen', 'https_listen', 'agent_listen', 'metrics_listen'].map((key) => [key, ['127.0.0.1:0']]),
        ),
        { http_listen: [`127.0.0.1:${port}`] },
      ],
      { cwd: '/', cloneRoot: '/', isTerminal: false },
    );

  test('moves a listener whose port is taken to the next free one, and says so', async () => {
    const port = await blocker();
    const moved = await movedToFreePorts(config(port));
    const [address] = moved.config.http;
    expect(address?.port).toBeGreaterThan(port);
    expect(moved.moves).toEqual([`port ${port} (--http-listen) is taken, using ${address?.port}`]);
    expect(moved.config.api).toEqual([{ host: '127.0.0.1', port: 0 }]);
  });

  test('stays where it is when nothing is in the way', async () => {
    // Again, where somebody else took the port that was free a moment ago.
    const moves = async (): Promise<readonly string[]> => {
      const server = net.createServer();
      const port = await listen(server, { host: '127.0.0.1', port: 0 });
      await new Promise((resolve) => server.close(resolve));
      return (await movedToFreePorts(config(port))).moves;
    };
    await expect.poll(moves).toEqual([]);
  });
});

test('an error after listening, as when no file descriptors are left, ends neither listener nor process', async () => {
  const server = net.createServer();
  await listen(server, { host: '127.0.0.1', port: 0 });
  expect(() => server.emit('error', new Error('EMFILE'))).not.toThrow();
  expect(server.listening).toBe(true);
  server.close();
});

describe('the listeners of the list', () => {
  const free = Object.fromEntries(listeners.map(({ setting }) => [setting, ['127.0.0.1:0']]));
  const surroundings = { cwd: '/', cloneRoot: '/', isTerminal: false };

  test('those of the edge open first, the others when asked; at a stop one stays', async () => {
    const doors = await Doors.open({ config: resolveConfig([free], surroundings), given: new Map() });
    cleanups.push(() => doors.close());
    expect(doors.forEdge().map(({ name, serves }) => [name, serves])).toEqual([
      ['http', 'http'],
      ['https', 'tls'],
      ['agents', 'agents'],
    ]);
    expect(() => doors.addressOf('api')).toThrow('the api listener is not open');
    await doors.open('api');
    await doors.open('metrics');
    const fields = runtimeFields((name) => doors.whereabouts(name));
    expect(Object.keys(fields)).toEqual(['http_addr', 'https_addr', 'agent_addr', 'api_url', 'metrics_url']);
    expect(fields.api_url).toBe(`http://127.0.0.1:${doors.addressOf('api').port}`);

    doors.close(true);
    for (const { name, stays } of listeners) {
      // One after the other, to name the one that fails.
      // oxlint-disable-next-line no-await-in-loop
      const open = await dial('127.0.0.1', doors.addressOf(name).port).then(Boolean, () => false);
      expect([name, open]).toEqual([name, stays]);
    }
  });

  test('agents without an address of their own come to another listener', async () => {
    const config = { ...resolveConfig([free], surroundings), agents: [] };
    const doors = await Doors.open({ config, given: new Map() });
    cleanups.push(() => doors.close());
    expect(doors.forEdge().map(({ name }) => name)).toEqual(['http', 'https']);
    expect(doors.addressOf('agents')).toEqual(doors.addressOf('https'));
  });

  test('one that cannot open leaves none open', async () => {
    const taken = await blocker();
    const probe = net.createServer();
    const agentPort = await listen(probe, { host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => probe.close(resolve));
    const settings = { http_listen: [`127.0.0.1:${taken}`], agent_listen: [`127.0.0.1:${agentPort}`] };
    const config = resolveConfig([settings, free], surroundings);
    await expect(Doors.open({ config, given: new Map() })).rejects.toThrow(`--http-listen 127.0.0.1:${taken}`);
    await expect(dial('127.0.0.1', agentPort)).rejects.toThrow('ECONNREFUSED');
  });
});
