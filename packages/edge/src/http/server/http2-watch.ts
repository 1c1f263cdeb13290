/**
 * Deadlines of one HTTP/2 connection and of its streams, by one timer that ticks while the connection lives:
 *
 * - a service that stays silent for `idleMs`: its stream is answered 504, the others go on; pings keep it alive where
 *   silence is part of the work
 * - a stream with something to write of which the visitor has accepted nothing for `stallMs`: it is cut
 * - a connection without a stream and without a ping for `idleMs`: it is closed
 *
 * Who is asked for a sign of life (a ping, sent at half time) and gives none until then has vanished, and loses the whole
 * connection. That needs a clock: a peer that is unplugged says nothing, and of one that resets while writes wait the
 * runtime does not tell (send-queues.ts sees that, and that a slow one goes on taking bytes). Spans are counted in ticks, so that a process that stood still lets nobody go for it.
 */
import type { Socket } from 'node:net';
import { MOST_FRESH_MS, sendQueues } from '../../connection/connection-watch.ts';
import { GONE, learnEnds, type SendQueues } from '../../connection/send-queues.ts';
import type { EdgeLimits, TimerHandle, TimerWheel } from '../../context.ts';

const LONGEST_TICK_MS = 2_000;
const TICKS_PER_DEADLINE = 4;

/** A stream under watch. */
export interface Watched {
  /** Ticks since the service has sent, or the visitor sent or took, a byte. */
  quiet: number;
  /** Ticks since the visitor has taken a byte, while there are some for it. */
  stalled: number;
  readonly hasPending: boolean;
  /** Ends it, so that the visitor cannot take its answer for complete. */
  cut(reason: string): void;
}

export interface WatchedConnection<Stream extends Watched> {
  /** @param pinged the visitor has pinged since its last byte */
  late(stream: Stream, pinged: boolean): void;
  idle(): void;
  probe(): void;
  vanished(): void;
}

export class Http2Watch<Stream extends Watched> {
  private readonly socket: Socket;
  private readonly queues: SendQueues;
  private readonly streams: ReadonlySet<Stream>;
  private readonly connection: WatchedConnection<Stream>;
  private readonly timer: TimerHandle;
  private readonly freshMs: number;
  private readonly idleTicks: number;
  private readonly stallTicks: number;
  private seen = 0;
  /** Ticks since the visitor has asked or pinged, and since it has pinged. */
  private quiet = 0;
  private unpinged = Infinity;
  /** Ticks since a byte has come at all. */
  private silent = 0;
  private queued: number | null = null;

  constructor(
    wheel: TimerWheel,
    limits: Pick<EdgeLimits, 'idleMs' | 'stallMs'>,
    socket: Socket,
    streams: ReadonlySet<Stream>,
    connection: WatchedConnection<Stream>,
    queues: SendQueues = sendQueues,
  ) {
    const { idleMs, stallMs } = limits;
    const tickMs = Math.min(LONGEST_TICK_MS, idleMs / TICKS_PER_DEADLINE, stallMs / TICKS_PER_DEADLINE);
    this.freshMs = Math.min(MOST_FRESH_MS, tickMs / 2);
    this.idleTicks = Math.ceil(idleMs / tickMs);
    this.stallTicks = Math.ceil(stallMs / tickMs);
    this.socket = socket;
    this.queues = queues;
    learnEnds(socket);
    this.streams = streams;
    this.connection = connection;
    this.timer = wheel.schedule(tickMs, () => {
      this.timer.refresh();
      this.tick();
    });
  }

  stop(): void {
    this.timer.cancel();
  }

  /** The visitor asks, or is answered. */
  asked(): void {
    this.quiet = 0;
  }

  pinged(): void {
    this.quiet = 0;
    this.unpinged = 0;
  }

  private tick(): void {
    const read = this.socket.bytesRead;
    this.silent = read === this.seen ? this.silent + 1 : 0;
    this.seen = read;
    this.quiet++;
    this.unpinged++;
    if (this.streams.size === 0 && this.quiet > this.idleTicks) this.connection.idle();
    let probe = false;
    let waiting = false;
    for (const stream of this.streams) {
      waiting ||= stream.stalled > 0;
      stream.quiet++;
      stream.stalled = stream.hasPending ? stream.stalled + 1 : 0;
      if (stream.stalled > this.stallTicks) {
        if (this.unanswered(this.stallTicks)) return this.connection.vanished();
        stream.cut('client-gone');
      } else if (stream.quiet > this.idleTicks) {
        if (this.unanswered(this.idleTicks)) return this.connection.vanished();
        this.connection.late(stream, this.unpinged < stream.quiet);
      } else if (stream.stalled === half(this.stallTicks) || stream.quiet === half(this.idleTicks)) probe = true;
    }
    if (probe) this.connection.probe();
    if (waiting) void this.lookBelow();
    else this.queued = null;
  }

  private async lookBelow(): Promise<void> {
    const queued = await this.queues.of(this.socket, this.freshMs);
    if (queued === GONE) return this.connection.vanished();
    // Where nobody knows, nobody is cut for it.
    if (queued === null || (this.queued !== null && queued !== this.queued)) {
      for (const stream of this.streams) stream.stalled = 0;
    }
    this.queued = queued;
  }

  /** Nothing has come since half a deadline ago, when the visitor was asked. */
  private unanswered(deadline: number): boolean {
    return this.silent > deadline >> 1;
  }
}

function half(ticks: number): number {
  return (ticks >> 1) + 1;
}
