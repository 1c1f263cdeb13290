/** The visitor connections of one HTTP service, and what they share. */
import { IdlePipes } from '../../places/idle-pipes.ts';
import type { Guard } from '../../guard.ts';
import { KeptIndex } from '../client/kept.ts';

export interface HttpConnection {
  readonly guard: Guard;
  /** Takes no further request, and closes at once or when the last is answered. */
  drain(): void;
  /** Cuts it. */
  destroy(): void;
}

export class HttpConnections {
  readonly kept = new KeptIndex();
  /** Upgraded connections. */
  readonly pipes = new IdlePipes();
  draining = false;
  private readonly open = new Set<HttpConnection>();
  private whenEmpty: (() => void)[] = [];

  add(connection: HttpConnection): void {
    this.open.add(connection);
  }

  remove(connection: HttpConnection): void {
    this.open.delete(connection);
    if (this.open.size > 0) return;
    const waiting = this.whenEmpty;
    this.whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when every connection has closed. */
  async drain(): Promise<void> {
    this.draining = true;
    for (const connection of this.open) connection.guard.run(() => connection.drain());
    if (this.open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.whenEmpty.push(resolve);
    });
  }

  destroy(): void {
    this.draining = true;
    for (const connection of this.open) connection.guard.run(() => connection.destroy());
  }
}
