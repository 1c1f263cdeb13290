/**
 * Connections that only pass bytes, by agent session: WebSockets, tcp, tls. One that is silent holds a place all the
 * same; when places are scarce, those of a network beyond its share are the first to go, the longest silent first.
 */
import { type Place, placeOf } from './place.ts';

/** Silent for less time than this is no reason: chats and terminals ping every few seconds. */
const LEAST_SILENCE_MS = 5_000;

export interface SilentPipe {
  /** Milliseconds since the last byte in either direction. */
  readonly silentMs: number;
  /** Ends it. */
  giveWay(): void;
}

export class IdlePipes {
  readonly #places = new Map<SilentPipe, Place>();
  readonly #sessions = new Map<string, Map<SilentPipe, Place>>();

  /** @param stream the agent's that it passes bytes of */
  add(pipe: SilentPipe, stream: { readonly context: unknown }): void {
    const place = placeOf(stream);
    if (place === null) return;
    this.#places.set(pipe, place);
    let pipes = this.#sessions.get(place.sessionId);
    if (pipes === undefined) this.#sessions.set(place.sessionId, (pipes = new Map()));
    pipes.set(pipe, place);
  }

  remove(pipe: SilentPipe): void {
    const place = this.#places.get(pipe);
    if (place === undefined) return;
    this.#places.delete(pipe);
    const pipes = this.#sessions.get(place.sessionId);
    if (pipes?.delete(pipe) === true && pipes.size === 0) this.#sessions.delete(place.sessionId);
  }

  /** Ends the one that has been silent longest, of networks beyond their share. @returns whether there was one */
  reclaim(sessionId: string, beyondShare: (network: string) => boolean): boolean {
    let found: SilentPipe | null = null;
    let longest = LEAST_SILENCE_MS;
    for (const [pipe, place] of this.#sessions.get(sessionId) ?? []) {
      const { silentMs } = pipe;
      if (silentMs < longest || !beyondShare(place.holding.network)) continue;
      longest = silentMs;
      found = pipe;
    }
    found?.giveWay();
    return found !== null;
  }
}
