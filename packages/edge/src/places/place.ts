/** On whose behalf a place in an agent's session is asked for. */
export interface PlaceClaim {
  /** Whom the visitor's address counts for (network.ts). */
  readonly network: string;
  readonly endpointId: string;
  /** Likely to stay: an upgraded connection, bytes of tcp or tls, a request whose body is still to come. */
  readonly long: boolean;
}

/** Waiting for a place. */
export interface PlaceWait {
  /** Nobody waits any more: `onPlace` will not run. */
  cancel(): void;
}

/** Takes places back from those who can spare them. */
export interface Reclaimer {
  /** Ends one that has nothing under way. @returns whether there was one */
  idle(sessionId: string): boolean;
  /**
   * Ends one whose visitor is slow or silent.
   * @param beyondShare whether a network holds more than its share
   */
  slow(sessionId: string, beyondShare: (network: string) => boolean): boolean;
  /** Has other edges spare what has nothing under way there: here it counts as busy. They do it in their time. */
  elsewhere?(sessionId: string): void;
}

/** What one network holds in one session. */
export interface Holding {
  readonly network: string;
  /** With something under way. */
  busy: number;
  /** Of those, the long ones. */
  long: number;
  /** With nothing under way: whoever needs them gets them. */
  idle: number;
}

/** One stream that is open for a visitor. It hangs on the stream (`context`) and is given back when that is over. */
export class Place {
  readonly sessionId: string;
  readonly holding: Holding;
  readonly long: boolean;
  #idle = false;
  #over = false;

  constructor(sessionId: string, holding: Holding, long: boolean) {
    this.sessionId = sessionId;
    this.holding = holding;
    this.long = long;
    holding.busy += 1;
    if (long) holding.long += 1;
  }

  /** Between two requests nothing is under way. */
  set idle(idle: boolean) {
    if (idle === this.#idle || this.#over) return;
    this.#idle = idle;
    const step = idle ? 1 : -1;
    this.holding.idle += step;
    this.holding.busy -= step;
    if (this.long) this.holding.long -= step;
  }

  /** The stream is over. */
  leave(): void {
    if (this.#over) return;
    this.idle = false;
    this.#over = true;
    this.holding.busy -= 1;
    if (this.long) this.holding.long -= 1;
  }
}

/** The place that a stream holds, if it is one of a visitor's. */
export function placeOf(stream: { readonly context: unknown } | null): Place | null {
  return stream?.context instanceof Place ? stream.context : null;
}
