/**
 * Where the other edges of this node come for streams into agents whose wire is here. Their visitors get places as
 * those of this edge do, in one queue with them.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { isPosternError, type PosternError } from '@postern/errors';
import {
  createMuxSession,
  MuxErrorCode,
  type MuxSession,
  type MuxStream,
  type MuxStreamHandler,
} from '@postern/protocol';
import type { FaultReports } from '../context.ts';
import type { PlaceWait, Reclaimer } from '../places/place.ts';
import type { LocalStreams } from './local-streams.ts';
import { writeNote } from './notes.ts';
import { carryPeer, cutPeer, type PeerOutput } from './peer-socket.ts';
import {
  decodeOpening,
  openingLength,
  PEER_STREAMS,
  PEER_WINDOW,
  fullCode,
  GONE,
  PeerStream,
  type PeerOpening,
} from './peer-wire.ts';
import { relay } from './relay.ts';

/** Between two words about one session. */
const NOTE_MS = 100;
const BACKLOG = 64;

interface Peer {
  readonly socket: Socket;
  readonly mux: MuxSession;
  notes: MuxStream | null;
}

export class PeerHost implements Reclaimer {
  readonly #streams: LocalStreams;
  readonly #faults: FaultReports;
  readonly #peers = new Set<Peer>();
  readonly #noted = new Map<string, number>();
  #server: Server | null = null;
  #visits = 0;
  #whenQuiet: (() => void)[] = [];

  constructor(streams: LocalStreams, faults: FaultReports) {
    this.#streams = streams;
    this.#faults = faults;
    streams.onPressure(this);
  }

  /** @param path of a socket that is not there yet, in a folder that nobody else may enter */
  async listen(path: string): Promise<void> {
    const server = createServer({ allowHalfOpen: false }, (socket) => this.#welcome(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, backlog: BACKLOG, exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', () => {});
        resolve();
      });
    });
    server.once('close', () => rmSync(path, { force: true }));
  }

  /** Resolves when no visitor of another edge has a stream here. */
  quiet(): Promise<void> {
    if (this.#visits === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  close(): void {
    this.#server?.close();
    for (const { socket, mux } of this.#peers) cutPeer(socket, mux);
  }

  // Reclaimer: the streams are at their visitors' edges, which know what of it can be spared.

  idle(sessionId: string): boolean {
    this.elsewhere(sessionId);
    return false;
  }

  slow(): boolean {
    return false;
  }

  elsewhere(sessionId: string): void {
    const now = performance.now();
    if (now - (this.#noted.get(sessionId) ?? -Infinity) < NOTE_MS) return;
    for (const [id, at] of this.#noted) if (now - at >= NOTE_MS) this.#noted.delete(id);
    this.#noted.set(sessionId, now);
    for (const { notes } of this.#peers) if (notes !== null) writeNote(notes, sessionId);
  }

  #welcome(socket: Socket): void {
    let output: PeerOutput | null = null;
    const mux = createMuxSession(
      {
        role: 'server',
        maxInboundStreams: PEER_STREAMS,
        window: PEER_WINDOW,
        nudge: false,
        now: () => performance.now(),
      },
      {
        onStream: (stream) => this.#accept(peer, stream),
        onStreamOver: (stream) => this.#over(stream),
        onOutput: () => output?.announced(),
        onFault: (error, stream) => {
          this.#faults.report(error, 'a stream of another edge');
          stream.handler.onFault?.();
        },
        onEnd: () => {},
      },
    );
    const peer: Peer = { socket, mux, notes: null };
    this.#peers.add(peer);
    const onFault = (error: unknown): void => this.#faults.report(error, 'the streams of another edge');
    output = carryPeer(socket, mux, onFault, () => this.#peers.delete(peer));
  }

  #accept(peer: Peer, stream: MuxStream): void {
    if (stream.type === PeerStream.notes) {
      stream.handler = NOTHING;
      peer.notes = stream;
    } else if (stream.type === PeerStream.visit) {
      this.#visits += 1;
      stream.handler = new Arrival(this.#streams, stream);
    }
  }

  #over(stream: MuxStream): void {
    if (stream.type !== PeerStream.visit) return;
    this.#visits -= 1;
    if (this.#visits === 0) for (const tell of this.#whenQuiet.splice(0)) tell();
  }
}

const NOTHING: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

/**
 * A visitor's stream from its first byte until a stream into the agent is there for it. What it sends meanwhile is held, and
 * no more than a stream's first window, since nothing of it counts as taken.
 */
class Arrival implements MuxStreamHandler {
  readonly #streams: LocalStreams;
  readonly #stream: MuxStream;
  #held: Buffer[] = [];
  #length = 0;
  #ended = false;
  #over = false;
  #wanted: PeerOpening | null = null;
  #wait: PlaceWait | null = null;

  constructor(streams: LocalStreams, stream: MuxStream) {
    this.#streams = streams;
    this.#stream = stream;
  }

  onData(chunk: Buffer): void {
    this.#held.push(Buffer.from(chunk));
    this.#length += chunk.length;
    if (this.#wanted !== null) return;
    const bytes = this.#all();
    if (bytes.length < openingLength(bytes)) return;
    const { forAgent, ...wanted } = decodeOpening(bytes);
    this.#wanted = wanted;
    this.#held = [forAgent];
    this.#enter(wanted);
  }

  /** An end may come while a place is waited for: it follows what came before it. */
  onEnd(): void {
    this.#ended = true;
    if (this.#wanted === null) this.#refuse(MuxErrorCode.protocol);
  }

  onReset(): void {
    this.#over = true;
    this.#wait?.cancel();
    this.#held = [];
  }

  onDrain(): void {}

  onFault(): void {
    this.onReset();
  }

  #enter(wanted: PeerOpening): void {
    if (!this.#streams.isOnline(wanted)) return this.#refuse(GONE);
    if (this.#streams.canOpen(wanted, wanted.claim)) return this.#open(wanted);
    this.#wait = this.#streams.wait(wanted, wanted.claim, (refused) => {
      this.#wait = null;
      if (this.#over) return;
      if (refused === null) this.#open(wanted);
      else this.#refuse(codeOf(refused));
    });
  }

  #open({ sessionId, claim }: PeerOpening): void {
    const stream = this.#stream;
    try {
      const agent = this.#streams.openWith(sessionId, claim, this.#all(), NOTHING);
      relay(stream, agent);
      this.#held = [];
      stream.consume(this.#length);
      if (this.#ended) stream.handler.onEnd();
    } catch (error) {
      if (!isPosternError(error)) throw error;
      this.#refuse(codeOf(error));
    }
  }

  #refuse(code: number): void {
    this.onReset();
    this.#stream.reset(code);
  }

  #all(): Buffer {
    const [only] = this.#held;
    if (this.#held.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.#held);
    this.#held = [all];
    return all;
  }
}

function codeOf({ number, params }: PosternError): number {
  return number === 743 ? fullCode(Number(params['limit'])) : GONE;
}
