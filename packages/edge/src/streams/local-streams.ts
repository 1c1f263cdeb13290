/** Streams into agents whose wire is at this edge. */
import { fail, type PosternError } from '@postern/errors';
import {
  encodeProxyHeader,
  MuxSessionEnded,
  StreamType,
  type MuxStream,
  type MuxSession,
  type MuxStreamHandler,
} from '@postern/protocol';
import type { FaultReports, TimerWheel } from '../context.ts';
import type { AgentUpstream } from '@postern/link';
import { placeOf, type PlaceClaim, type PlaceWait, type Reclaimer } from '../places/place.ts';
import { type PlaceCounts, SessionPlaces, type SessionPlacesOptions } from '../places/session-places.ts';
import type { AgentStreams, GoneListener, StreamPurpose } from './agent-streams.ts';

/** A session as far as streams need it. */
export interface Carrier {
  readonly id: string;
  readonly mux: Pick<MuxSession, 'open' | 'streamCount' | 'idsLeft'>;
  /** How many streams at once its agent says that it bears; 0 = it does not say. */
  readonly saysItBears: number;
  /** It can open no stream more. */
  retire(): void;
}

export interface LocalStreamsOptions {
  readonly wheel: TimerWheel;
  /** Streams at once into an agent that does not say what it bears: the official ones break at 512 (§0.6). */
  readonly streamsPerSession: number;
  /** Most that is believed of an agent that says it, as ours does. */
  readonly mostStreamsPerSession: number;
  readonly queueMs: number;
  readonly faults: FaultReports;
}

/** Places of all sessions, for metrics. */
export interface PlaceTotals extends Readonly<PlaceCounts> {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

interface Entry {
  readonly session: Carrier;
  readonly places: SessionPlaces;
}

const NO_WAIT: PlaceWait = { cancel() {} };

export class LocalStreams implements AgentStreams {
  readonly #options: LocalStreamsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #reclaimers: Reclaimer[] = [];
  readonly #goneListeners: GoneListener[] = [];
  readonly #counts: PlaceCounts = { refused: 0, reclaimed: 0 };

  readonly #placesOptions: SessionPlacesOptions;

  constructor(options: LocalStreamsOptions) {
    this.#options = options;
    const { wheel, queueMs, faults } = options;
    this.#placesOptions = {
      queueMs,
      wheel,
      reclaimers: this.#reclaimers,
      counts: this.#counts,
      onFault: (error) => faults.report(error, 'the turn of a visitor who waited for a place'),
    };
  }

  add(session: Carrier): void {
    const { streamsPerSession, mostStreamsPerSession } = this.#options;
    const { saysItBears } = session;
    const limit = saysItBears === 0 ? streamsPerSession : Math.min(saysItBears, mostStreamsPerSession);
    this.#entries.set(session.id, { session, places: new SessionPlaces(session, limit, this.#placesOptions) });
  }

  /** The session's wire is gone: who waits for it is told, and who keeps streams of it. */
  remove(session: Carrier): void {
    const entry = this.#entries.get(session.id);
    if (entry?.session !== session) return;
    this.#entries.delete(session.id);
    // They find at once that the session is gone.
    entry.places.close();
    for (const listener of this.#goneListeners) listener(session.id, null);
  }

  /** The agent has taken an endpoint back: what is kept for it keeps the agent from going. */
  unbound(session: Carrier, tunnelId: string): void {
    if (this.#entries.get(session.id)?.session !== session) return;
    for (const listener of this.#goneListeners) listener(session.id, tunnelId);
  }

  isOnline(upstream: Pick<AgentUpstream, 'sessionId'>): boolean {
    return this.#entries.has(upstream.sessionId);
  }

  canOpen(upstream: Pick<AgentUpstream, 'sessionId'>, claim: PlaceClaim): boolean {
    return this.#entries.get(upstream.sessionId)?.places.canEnter(claim) ?? false;
  }

  scarce(upstream: AgentUpstream): boolean {
    const places = this.#entries.get(upstream.sessionId)?.places;
    return places !== undefined && places.waiting > 0;
  }

  open(
    upstream: AgentUpstream,
    claim: PlaceClaim,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    handler: MuxStreamHandler,
    first?: Buffer,
  ): MuxStream {
    const header = encodeProxyHeader({ id: upstream.tunnelId, ...purpose });
    const parts = [header];
    if (proxyHeader !== null) parts.push(proxyHeader);
    if (first !== undefined) parts.push(first);
    return this.openWith(upstream.sessionId, claim, parts.length === 1 ? header : Buffer.concat(parts), handler);
  }

  /** {@link open} with all that leaves in the first frame in one piece, as another edge has put it together. */
  openWith(sessionId: string, claim: PlaceClaim, opening: Buffer, handler: MuxStreamHandler): MuxStream {
    const entry = this.#entries.get(sessionId);
    if (entry === undefined) throw fail(3210);
    const { session, places } = entry;
    if (places.free === 0) throw this.#full(places);
    let stream: MuxStream;
    try {
      stream = session.mux.open(StreamType.proxy, handler, opening);
    } catch (error) {
      if (error instanceof MuxSessionEnded) throw fail(3210, {}, { cause: error });
      throw error;
    }
    stream.context = places.enter(claim);
    if (session.mux.idsLeft === 0) session.retire();
    return stream;
  }

  wait(
    upstream: Pick<AgentUpstream, 'sessionId'>,
    claim: PlaceClaim,
    onPlace: (error: PosternError | null) => void,
  ): PlaceWait {
    const places = this.#entries.get(upstream.sessionId)?.places;
    if (places !== undefined) return places.wait(claim, onPlace);
    queueMicrotask(() => onPlace(null));
    return NO_WAIT;
  }

  onPressure(reclaimer: Reclaimer): void {
    this.#reclaimers.push(reclaimer);
  }

  onGone(listener: GoneListener): void {
    this.#goneListeners.push(listener);
  }

  /** A stream of the session is over. */
  streamOver(session: Carrier, stream: MuxStream): void {
    this.#entries.get(session.id)?.places.left(placeOf(stream));
  }

  totals(): PlaceTotals {
    let [used, free, waiting] = [0, 0, 0];
    for (const { session, places } of this.#entries.values()) {
      used += session.mux.streamCount;
      free += places.free;
      waiting += places.waiting;
    }
    return { used, free, waiting, ...this.#counts };
  }

  #full(places: SessionPlaces): PosternError {
    return fail(743, { limit: places.limit, seconds: this.#options.queueMs / 1_000 });
  }
}
