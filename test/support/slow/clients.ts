/**
 * Many connections that send a byte now and then. Each follows a script of its kind: what it sends at once after
 * connecting, and what then comes byte by byte, for ever.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { KindCounts } from './crowd.ts';

export interface SlowKind {
  readonly name: string;
  readonly port: number;
  /** TLS is made, quickly, before the script begins. */
  readonly tls?: { readonly servername: string; readonly ca: string; readonly alpn?: readonly string[] };
  readonly atOnce: Uint8Array;
  /** Sent byte by byte, over and over; empty = silence. */
  readonly trickle: Uint8Array;
  readonly count: number;
}

interface SlowClient {
  readonly socket: net.Socket;
  readonly kind: SlowKind;
  sent: number;
  ready: boolean;
}

const BYTE_EVERY_MS = 250;
/** Connections made at once. */
const BATCH = 50;

export class SlowClients {
  readonly #clients = new Set<SlowClient>();
  readonly #localAddress: string;
  readonly #failed = new Map<string, number>();

  /** @param localAddress they all come from */
  constructor(localAddress: string) {
    this.#localAddress = localAddress;
    setInterval(() => this.#tick(), BYTE_EVERY_MS);
  }

  /** Those that the server has not ended. */
  alive(): number {
    return this.#clients.size;
  }

  /** By kind. */
  counts(): Record<string, KindCounts> {
    const counts: Record<string, { alive: number; failed: number }> = {};
    for (const [name, failed] of this.#failed) counts[name] = { alive: 0, failed };
    for (const { kind } of this.#clients) (counts[kind.name] ??= { alive: 0, failed: 0 }).alive += 1;
    return counts;
  }

  async open(kind: SlowKind): Promise<void> {
    for (let made = 0; made < kind.count; made += BATCH) {
      const size = Math.min(BATCH, kind.count - made);
      await Promise.all(Array.from({ length: size }, () => this.#connect(kind)));
    }
  }

  #connect(kind: SlowKind): Promise<void> {
    const { port, tls: secure } = kind;
    const target = { host: '127.0.0.1', port, localAddress: this.#localAddress };
    return new Promise((resolve) => {
      const raw = net.connect(target);
      const socket =
        secure === undefined
          ? raw
          : tls.connect({
              socket: raw,
              servername: secure.servername,
              ca: secure.ca,
              ALPNProtocols: [...(secure.alpn ?? [])],
            });
      const client: SlowClient = { socket, kind, sent: 0, ready: false };
      this.#clients.add(client);
      const over = (): void => {
        if (!client.ready && this.#clients.has(client)) {
          this.#failed.set(kind.name, (this.#failed.get(kind.name) ?? 0) + 1);
        }
        this.#clients.delete(client);
        socket.destroy();
        resolve();
      };
      raw.on('error', over);
      socket.on('error', over);
      socket.on('end', over);
      socket.on('close', over);
      socket.resume();
      socket.once(secure === undefined ? 'connect' : 'secureConnect', () => {
        client.ready = true;
        if (kind.atOnce.length > 0) socket.write(kind.atOnce);
        resolve();
      });
    });
  }

  #tick(): void {
    for (const client of this.#clients) {
      const { trickle } = client.kind;
      if (!client.ready || trickle.length === 0 || !client.socket.writable) continue;
      const at = client.sent % trickle.length;
      client.socket.write(trickle.subarray(at, at + 1));
      client.sent += 1;
    }
  }
}
