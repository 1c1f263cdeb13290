/**
 * What edges of one node say to each other, over a local socket: each dials the others and opens a stream for each
 * stream into an agent whose wire is there. The mux is that of agents, so credit, half-closes and resets are its own.
 *
 * A stream begins with two lengths (16 bits each), a line of texts, and bytes that leave for the agent in one frame
 * (agent-protocol.md §2.7); all behind that is the visitor's and the service's.
 */
import type { PlaceClaim } from '../places/place.ts';

/** Types of the streams between edges. */
export const PeerStream = { visit: 1, notes: 2 } as const;

/** Codes of resets beside those of the mux: nothing of the stream has come to an agent. The session is not there. */
export const GONE = 0x4000_0000;
const FULL = GONE;

/** No place came free in time. @param limit places that the session has */
export function fullCode(limit: number): number {
  return FULL + limit;
}

/** @returns null for codes of the mux; else what {@link fullCode} was given, 0 for a session that is gone */
export function refusedBy(code: number): number | null {
  return code < GONE ? null : code - FULL;
}

/** Streams of one visitor edge at once: the places of sessions are what bounds them. */
export const PEER_STREAMS = 1_000_000;
/** As for streams of agents: what bulk may have under way. */
export const PEER_WINDOW = 1_048_576;

const LENGTHS = 4;
const SEPARATOR = '\n';

export interface PeerOpening {
  readonly sessionId: string;
  readonly claim: PlaceClaim;
}

/** @param opening for the agent, whole @param first what follows it already */
export function encodeOpening(
  sessionId: string,
  claim: PlaceClaim,
  opening: Buffer,
  first: Buffer | undefined,
): Buffer {
  const line = [sessionId, claim.network, claim.endpointId, claim.long ? '1' : ''].join(SEPARATOR);
  const length = LENGTHS + line.length + opening.length;
  const bytes = Buffer.allocUnsafe(length + (first?.length ?? 0));
  bytes.writeUInt16BE(line.length, 0);
  bytes.writeUInt16BE(opening.length, 2);
  bytes.write(line, LENGTHS, 'latin1');
  opening.copy(bytes, LENGTHS + line.length);
  first?.copy(bytes, length);
  return bytes;
}

/** How many bytes have to be there before a stream can be opened; with fewer than four it cannot be said yet. */
export function openingLength(bytes: Buffer): number {
  return bytes.length < LENGTHS ? LENGTHS : LENGTHS + bytes.readUInt16BE(0) + bytes.readUInt16BE(2);
}

/** @param bytes as many as {@link openingLength} says, or more @returns what is asked for, and all that is the agent's */
export function decodeOpening(bytes: Buffer): PeerOpening & { readonly forAgent: Buffer } {
  const end = LENGTHS + bytes.readUInt16BE(0);
  const [sessionId = '', network = '', endpointId = '', long = ''] = bytes
    .toString('latin1', LENGTHS, end)
    .split(SEPARATOR);
  return { sessionId, claim: { network, endpointId, long: long !== '' }, forAgent: bytes.subarray(end) };
}
