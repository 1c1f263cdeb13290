import { createServer, type Server, type Socket } from 'node:net';
import type { OpenListener } from '@postern/edge';
import { type Address, everyAddress } from './config/addresses.ts';
import { flagOf } from './config/options.ts';
import { bindAll, listen, type TryAgain } from './listen.ts';

/** The agent listener, open before there is anybody to serve it. */
export interface AgentDoor extends OpenListener {
  /** The first address, its port settled. */
  readonly address: Address;
}

/**
 * Opens the agent listener before the rest of the platform is even loaded: official agents that lost their server try
 * again after 0, 50 ms, 2.5 s and then 125 s (agent-protocol.md §0.5), so a restart should answer their third attempt.
 * Who comes early waits until the edge serves him.
 * @throws ConfigError naming the flag
 */
export async function openAgentDoor(addresses: readonly Address[], tryAgain?: TryAgain): Promise<AgentDoor> {
  const servers: Server[] = [];
  const waiting = new Set<Socket>();
  let serve: ((socket: Socket) => void) | null = null;
  const welcome = (socket: Socket): void => {
    if (serve !== null) return serve(socket);
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
    // A peer that leaves while it waits must not end the process.
    socket.on('error', ignore);
  };
  const close = (): void => {
    for (const server of servers.splice(0)) server.close();
    for (const socket of waiting) socket.destroy();
  };
  try {
    const open = async (wanted: Address): Promise<number> => {
      // As the edge opens its own: half-closed connections are served to their end.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, welcome);
      const port = await listen(server, wanted);
      // From here on errors concern single accepts (out of file descriptors); the listener lives on.
      server.on('error', ignore);
      servers.push(server);
      return port;
    };
    const address = await bindAll(flagOf('agent_listen'), everyAddress(addresses), open, tryAgain);
    return {
      address,
      addresses: [address],
      serve(onConnection) {
        serve = onConnection;
        const early = [...waiting];
        waiting.clear();
        for (const socket of early) onConnection(socket);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function ignore(): void {}
