/**
 * A change is a value: what to write, who comes and goes. A step reads and decides on one, `change.ts` carries it out and
 * takes it back where the edges refuse it. Nobody writes an undo by hand.
 */
import type { RegistryChange, Snapshot } from '@postern/registry';
import type { Write } from '@postern/store';

export interface Change {
  readonly writes: readonly Write[];
  /** A tunnel that is removed does not come back by the inverse: its agent is told to let go. Nor does a session. */
  readonly registry: readonly RegistryChange[];
  /** The holders that it was decided on: where another node has changed them since, it is decided anew. */
  readonly fence?: Snapshot;
  /** The automatic reservations that it frees are given back by whoever makes it, since this may not wait for a disk. */
  readonly givesBackLater?: boolean;
  /** Tells agents what happened to them. Runs once the change holds, before anything else of the same names. */
  readonly tell?: () => void;
}

/** What a step came to: a change, and what its caller wants to know. */
export interface Decision<T> extends Change {
  readonly answer: T;
}

/** A change that holds, but that the edges may not have yet. */
export interface Held {
  /** Resolves when new requests see it at every edge; rejects when one refuses it or stays silent. */
  readonly online: Promise<void>;
  /** Takes it back, in a step of its own, as far as nobody has changed the same since. */
  readonly undo: () => Promise<void>;
}

export interface Done<T> extends Held {
  readonly answer: T;
}

/** Nothing changes. */
export function unchanged<T>(answer: T): Decision<T> {
  return { answer, writes: [], registry: [] };
}
