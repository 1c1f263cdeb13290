/** Whether a kept connection goes on at another edge: counts its requests that an agent there has served. */
import { Visitor } from '../../connection/visitor.ts';
import type { VisitorConnection } from '../../context.ts';
import type { Moves } from '../../moves/moves.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Requester } from '../exchange/requester.ts';

export class Http1Moving {
  private readonly moves: Moves;
  private readonly visitor: Visitor;
  private readonly requester: Requester;
  private readonly onSettled: (stays: boolean) => void;
  /** Requests in a row after which it moves. */
  private readonly due: number;
  private edge = '';
  private run = 0;

  private constructor(moves: Moves, visitor: Visitor, requester: Requester, onSettled: (stays: boolean) => void) {
    this.moves = moves;
    this.visitor = visitor;
    this.requester = requester;
    this.onSettled = (stays) => requester.guard.call(onSettled, stays);
    this.due = moves.runBefore(visitor.moves);
  }

  /**
   * @param onSettled as for {@link Moves.begin}
   * @returns null for what stays where it is: TLS and its keys, and everything where there is but one edge
   */
  static of(
    moves: Moves | null,
    { conn, scheme }: VisitorConnection,
    requester: Requester,
    onSettled: (stays: boolean) => void,
  ): Http1Moving | null {
    if (moves === null || scheme !== 'http' || !(conn instanceof Visitor)) return null;
    return new Http1Moving(moves, conn, requester, onSettled);
  }

  /** A request has been answered. @param between whether it may move now @returns whether it is on its way */
  leaves({ servedAt }: Exchange, between: boolean): boolean {
    // What no agent has served says nothing of where the others are.
    if (servedAt === null) return false;
    if (servedAt !== this.edge) {
      this.edge = servedAt;
      this.run = 0;
    }
    if (servedAt === '') return false;
    this.run += 1;
    // Rules that have let it in would be asked, and would count, again.
    if (this.run < this.due || !between || this.requester.admitted !== null) return false;
    return this.moves.begin(this.edge, this.visitor, this.onSettled);
  }
}
