import type { Socket } from 'node:net';
import { ignore } from '../connection/pipe.ts';
import type { ListenAddress } from '../context.ts';
import { listen } from '../listeners/listen.ts';
import type { Listener, OpenListener } from '../listeners/listener.ts';

/** Opens a listener as the server does before it makes an edge. */
async function openListener(wanted: readonly ListenAddress[]): Promise<OpenListener> {
  const waiting = new Set<Socket>();
  let serve: ((socket: Socket, port: number) => void) | null = null;
  const listening = await listen(wanted, (socket) => {
    if (serve !== null) return serve(socket, port());
    socket.on('error', ignore);
    waiting.add(socket);
  });
  const { addresses } = listening;
  const port = (): number => listening.addresses[0]?.port ?? 0;
  return {
    addresses,
    serve(onConnection) {
      serve = onConnection;
      for (const socket of waiting) onConnection(socket, port());
      waiting.clear();
    },
    close() {
      listening.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}

/** Where the three listeners of an edge are to be; nowhere: there is none. */
export type TestAddresses = Readonly<Record<'http' | 'https' | 'agents', readonly ListenAddress[]>>;
export type BoundAddresses = Readonly<Record<keyof TestAddresses, ListenAddress>>;

const ANYWHERE = [{ host: '127.0.0.1', port: 0 }];
export const LOOPBACK: TestAddresses = { http: ANYWHERE, https: ANYWHERE, agents: ANYWHERE };

export async function openListeners(wanted: TestAddresses): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const [name, serves] of [
      ['agents', 'agents'],
      ['http', 'http'],
      ['https', 'tls'],
    ] as const) {
      if (wanted[name].length === 0) continue;
      // One that fails leaves none open.
      // oxlint-disable-next-line no-await-in-loop
      listeners.push({ name, serves, open: await openListener(wanted[name]) });
    }
  } catch (error) {
    for (const { open } of listeners) open.close();
    throw error;
  }
  return listeners;
}

export function boundAddresses(listeners: readonly Listener[]): BoundAddresses {
  const first = (name: keyof TestAddresses): ListenAddress =>
    listeners.find((listener) => listener.name === name)?.open.addresses[0] ?? { host: '', port: 0 };
  return { http: first('http'), https: first('https'), agents: first('agents') };
}
