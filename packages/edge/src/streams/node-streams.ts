/**
 * Streams into agents of this node, wherever their wires are: here (`local-streams.ts`), or at another edge, which is
 * dialled over a local socket. A stream of the other edge is open at once; what may keep it there (the session is gone,
 * no place comes free) is told by a reset with a code of its own (`peer-wire.ts`).
 */
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { fail, type PosternError } from '@postern/errors';
import type { AgentUpstream } from '@postern/link';
import {
  createMuxSession,
  encodeProxyHeader,
  MuxSessionEnded,
  type MuxSession,
  type MuxStream,
  type MuxStreamHandler,
} from '@postern/protocol';
import type { FaultReports } from '../context.ts';
import type { PlaceClaim, PlaceWait, Reclaimer } from '../places/place.ts';
import type { AgentStreams, GoneListener, StreamPurpose } from './agent-streams.ts';
import { NoteReader } from './notes.ts';
import { carryPeer, cutPeer, type PeerOutput } from './peer-socket.ts';
import { encodeOpening, PEER_WINDOW, PeerStream } from './peer-wire.ts';

/** Somebody there waits for a place of a session: so long nothing idle is kept of it here. */
const SCARCE_MS = 1_000;
/** Idle streams that one word frees. */
const FREED = 16;

interface Link {
  readonly socket: Socket;
  readonly mux: MuxSession;
  output: PeerOutput | null;
}

export interface NodeStreamsOptions {
  readonly local: AgentStreams;
  /** Folder of the sockets. */
  readonly directory: string;
  readonly faults: FaultReports;
}

export class NodeStreams implements AgentStreams {
  /** Streams that were opened at other edges, since the start. */
  crossed = 0;
  readonly #options: NodeStreamsOptions;
  readonly #local: AgentStreams;
  readonly #links = new Map<string, Link>();
  /** Names are not used twice: who was lost stays so. */
  readonly #lost = new Set<string>();
  readonly #reclaimers: Reclaimer[] = [];
  readonly #scarce = new Map<string, number>();

  constructor(options: NodeStreamsOptions) {
    this.#options = options;
    this.#local = options.local;
  }

  isOnline(upstream: AgentUpstream): boolean {
    return upstream.edge === undefined ? this.#local.isOnline(upstream) : !this.#lost.has(upstream.edge);
  }

  canOpen(upstream: AgentUpstream, claim: PlaceClaim): boolean {
    return upstream.edge === undefined ? this.#local.canOpen(upstream, claim) : true;
  }

  scarce(upstream: AgentUpstream): boolean {
    if (upstream.edge === undefined) return this.#local.scarce(upstream);
    if (this.#scarce.size === 0) return false;
    const since = this.#scarce.get(upstream.sessionId);
    if (since === undefined) return false;
    if (performance.now() - since < SCARCE_MS) return true;
    this.#scarce.delete(upstream.sessionId);
    return false;
  }

  open(
    upstream: AgentUpstream,
    claim: PlaceClaim,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    handler: MuxStreamHandler,
    first?: Buffer,
  ): MuxStream {
    if (upstream.edge === undefined) return this.#local.open(upstream, claim, purpose, proxyHeader, handler, first);
    const header = encodeProxyHeader({ id: upstream.tunnelId, ...purpose });
    const opening = proxyHeader === null ? header : Buffer.concat([header, proxyHeader]);
    const bytes = encodeOpening(upstream.sessionId, claim, opening, first);
    try {
      const { mux } = this.#linkTo(upstream.edge);
      const stream = mux.open(PeerStream.visit, handler, bytes);
      this.crossed += 1;
      // It goes on with what it carries; whoever comes next gets another one.
      if (mux.idsLeft === 0) this.#links.delete(upstream.edge);
      return stream;
    } catch (error) {
      if (error instanceof MuxSessionEnded) throw fail(3210, {}, { cause: error });
      throw error;
    }
  }

  wait(upstream: AgentUpstream, claim: PlaceClaim, onPlace: (error: PosternError | null) => void): PlaceWait {
    return this.#local.wait(upstream, claim, onPlace);
  }

  onPressure(reclaimer: Reclaimer): void {
    this.#reclaimers.push(reclaimer);
    this.#local.onPressure(reclaimer);
  }

  onGone(listener: GoneListener): void {
    this.#local.onGone(listener);
  }

  close(): void {
    for (const { socket, mux } of this.#links.values()) cutPeer(socket, mux);
  }

  #linkTo(edge: string): Link {
    const known = this.#links.get(edge);
    if (known !== undefined) return known;
    if (this.#lost.has(edge)) throw fail(3210);
    const { directory, faults } = this.#options;
    const socket = connect(socketPath(directory, edge));
    const mux = createMuxSession(
      { role: 'client', window: PEER_WINDOW, nudge: false, now: () => performance.now() },
      {
        onStream: () => {},
        onOutput: () => link.output?.announced(),
        onFault: (error, stream) => {
          faults.report(error, 'a stream to another edge');
          stream.handler.onFault?.();
        },
        onEnd: () => {},
      },
    );
    const link: Link = { socket, mux, output: null };
    this.#links.set(edge, link);
    const onFault = (error: unknown): void => faults.report(error, 'the streams to another edge');
    link.output = carryPeer(socket, mux, onFault, () => {
      if (this.#links.get(edge) !== link) return;
      this.#links.delete(edge);
      this.#lost.add(edge);
    });
    const notes = new NoteReader((sessionId) => this.#needed(sessionId));
    notes.stream = mux.open(PeerStream.notes, notes);
    return link;
  }

  /** Visitors at the session's edge wait for places of it. */
  #needed(sessionId: string): void {
    const now = performance.now();
    for (const [id, since] of this.#scarce) if (now - since >= SCARCE_MS) this.#scarce.delete(id);
    this.#scarce.set(sessionId, now);
    let freed = 0;
    for (const reclaimer of this.#reclaimers) while (freed < FREED && reclaimer.idle(sessionId)) freed += 1;
  }
}

export function socketPath(directory: string, edge: string): string {
  return path.join(directory, `${edge}.sock`);
}
