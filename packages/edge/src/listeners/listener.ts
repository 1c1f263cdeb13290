/** A listener as a value: its name, where it listens, and what takes those who come. */
import type { Socket } from 'node:net';
import type { ListenAddress } from '../context.ts';

/** What takes connections: the ways through the connection machine (connections.ts). */
export type Service = 'http' | 'tls' | 'tcp' | 'agents';

/** What is true of those who come to a service. */
interface Callers {
  readonly visitors: boolean;
  /** It is theirs to begin; on a TCP port it may be what is behind it that speaks first. */
  readonly speakFirst: boolean;
  /** They are let in when there are routes. Agents shake hands before; a TCP port opens with its route. */
  readonly needRoutes: boolean;
}

export const SERVICES: Readonly<Record<Service, Callers>> = {
  http: { visitors: true, speakFirst: true, needRoutes: true },
  tls: { visitors: true, speakFirst: true, needRoutes: true },
  tcp: { visitors: true, speakFirst: false, needRoutes: false },
  agents: { visitors: false, speakFirst: true, needRoutes: false },
};

/** Sockets that listen; somebody has bound them, and whoever comes before {@link serve} is held. */
export interface OpenListener {
  /** As bound, at this moment. */
  readonly addresses: readonly ListenAddress[];
  /** Hands over who waits and who comes, with the port that he came to. Sockets have `allowHalfOpen`. */
  serve(onConnection: (socket: Socket, port: number) => void): void;
  /** Accepts nothing more, and ends who still waits; who was handed over lives on. */
  close(): void;
}

export interface Listener {
  /** For metrics and logs. */
  readonly name: string;
  readonly serves: Service;
  readonly open: OpenListener;
}
