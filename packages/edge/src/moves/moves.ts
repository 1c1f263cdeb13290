/**
 * Visitors' connections that go on at another edge of this node. A plain HTTP connection whose requests are again and
 * again for an agent there moves to it, between two requests: the socket, and with it {@link MovedVisitor}. Nothing of a
 * next request has been read then, and nothing of an answer waits, so whoever has the socket has all that there is.
 *
 * What it costs is bounded, whoever asks for it: a connection moves after {@link FIRST_RUN} requests that crossed in a
 * row, which cost about as much as moving does, then only after four times as many each time; an edge sends
 * {@link UNDER_WAY} at once and {@link A_SECOND} in a second. Whoever may not move now is served as before.
 */
import type { Socket } from 'node:net';
import { readsWhenAsked } from '../connection/slab-reader.ts';
import type { MovedVisitor, Visitor } from '../connection/visitor.ts';

const FIRST_RUN = 64;
const RUN_GROWTH = 4;
const MOST_MOVES = 4;
const UNDER_WAY = 4;
const A_SECOND = 200;

/** How sockets come to other edges. */
export interface MoveChannel {
  /** Whether it does any good now: an edge that has much more to do than this one is not given more. */
  wanted(edge: string): boolean;
  /**
   * Gives the socket, which nobody reads meanwhile, to another edge.
   * @param onSettled runs once, always. `stays`: it has not come there, and is this edge's as before. Else it is gone
   */
  send(edge: string, socket: Socket, visitor: MovedVisitor, onSettled: (stays: boolean) => void): void;
}

/** Which of an edge's connections move. */
export class Moves {
  /** Connections that have gone to other edges, since the start. */
  moved = 0;
  readonly #channel: MoveChannel;
  readonly #placeOf: (socket: Socket) => Pick<MovedVisitor, 'listener' | 'counted'> | null;
  readonly #now: () => number;
  #underWay = 0;
  #left = A_SECOND;
  #filledAt = 0;

  /**
   * @param placeOf where a connection is counted; null = it is gone
   * @param now milliseconds of a clock that is never set back
   */
  constructor(
    channel: MoveChannel,
    placeOf: (socket: Socket) => Pick<MovedVisitor, 'listener' | 'counted'> | null,
    now: () => number = () => performance.now(),
  ) {
    this.#channel = channel;
    this.#placeOf = placeOf;
    this.#now = now;
  }

  /** How many requests in a row have to cross before a connection that has moved so often moves again. */
  runBefore(moves: number): number {
    return moves < MOST_MOVES ? FIRST_RUN * RUN_GROWTH ** moves : Infinity;
  }

  /**
   * Stops reading it and sends it on, if it may go now.
   * @param onSettled as for {@link MoveChannel.send}, later
   * @returns whether it is on its way
   */
  begin(edge: string, visitor: Visitor, onSettled: (stays: boolean) => void): boolean {
    if (this.#underWay >= UNDER_WAY || !this.#channel.wanted(edge)) return false;
    const { socket } = visitor;
    const place = readsWhenAsked(socket) ? this.#placeOf(socket) : null;
    if (place === null || !this.#take()) return false;
    socket.pause();
    this.#underWay += 1;
    this.#channel.send(edge, socket, { ...visitor.facts(), ...place }, (stays) => {
      this.#underWay -= 1;
      if (!stays) this.moved += 1;
      onSettled(stays);
    });
    return true;
  }

  #take(): boolean {
    const now = this.#now();
    this.#left = Math.min(A_SECOND, this.#left + ((now - this.#filledAt) * A_SECOND) / 1_000);
    this.#filledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
