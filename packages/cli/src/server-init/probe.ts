import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { codeOf, messageOf } from '../problem.ts';

export interface Reached {
  /** `warn` = it cannot be told from here. */
  readonly result: 'ok' | 'warn' | 'fail';
  readonly words: string;
}

/** A port of this machine, held for a moment to find out whether others come here by it. */
export interface Listening {
  readonly port: number;
  /** Why it could not be had; null = it is held. */
  readonly problem: string | null;
  /** Whether who connects to the address comes here. */
  reach(address: string): Promise<Reached>;
  close(): void;
}

const REACH_MS = 5_000;
const MOST_CONNECTIONS = 16;
/** A machine without IPv6 has not the first. */
const HOSTS = ['::', '0.0.0.0'] as const;

/** On every address of this machine; whoever connects is told a word and let go. */
export async function holdPort(port: number): Promise<Listening> {
  const [first, second] = HOSTS;
  const held = await holdAt(first, port);
  return held.problem === null ? held : holdAt(second, port);
}

function holdAt(host: string, port: number): Promise<Listening> {
  const word = randomBytes(16).toString('hex');
  return new Promise((resolve) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.setTimeout(REACH_MS, () => socket.destroy());
      socket.end(word);
    });
    server.maxConnections = MOST_CONNECTIONS;
    const close = (): void => void server.close();
    server.once('error', (error) => {
      resolve({ port, problem: problemOf(error), reach: unknown, close });
    });
    server.listen(port, host, () =>
      resolve({ port, problem: null, reach: (address) => reach(address, port, word), close }),
    );
  });
}

/** Of a port that could not be had. */
async function unknown(): Promise<Reached> {
  return { result: 'warn', words: 'it could not be asked' };
}

function problemOf(error: Error): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'another program listens there: stop it, or it is the server that runs already';
    case 'EACCES':
      return 'this user may not listen there: run it as root, or allow it (setcap cap_net_bind_service, or AmbientCapabilities of systemd)';
    default:
      return messageOf(error);
  }
}

function reach(host: string, port: number, word: string): Promise<Reached> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect({ host, port });
    const end = (result: Reached['result'], words: string): void => {
      clearTimeout(late);
      socket.destroy();
      resolve({ result, words: `${host}: ${words}` });
    };
    const late = setTimeout(
      () => end('warn', 'no answer here: a firewall, or a router that does not lead back to itself'),
      REACH_MS,
    );
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text = (text + part).slice(0, word.length + 1);
      if (text === word) end('ok', 'it leads here');
    });
    socket.on('error', (error) =>
      end('fail', codeOf(error) === 'ECONNREFUSED' ? 'nobody listens there' : messageOf(error)),
    );
    socket.on('close', () => end('fail', 'another program answers there'));
  });
}
