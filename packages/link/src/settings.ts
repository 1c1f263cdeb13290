/**
 * What every edge of one node has in common, and what may change while they run. Plain data, sent whole: before the
 * first routes of an edge, and again when something of it is not what it was.
 */
import type { ExpectedName } from './agent-name.ts';

export interface NodeSettings {
  /** What an edge keeps of certificates that were changed is asked for anew. */
  readonly certificates: CertificateChanges;
  /** A page of this server, for people who open an address that is for agents. */
  readonly webUrl: string;
  /** What certificate authorities will come and ask for, under names that are being issued a certificate. */
  readonly challenges: readonly Challenge[];
  readonly keys: NodeKeys;
  /** Names of agents that were at edges which ended by themselves, and are on their way back. */
  readonly expected: readonly ExpectedName[];
}

/** Which certificates were changed, so that an edge that has kept thousands forgets those alone. */
export interface CertificateChanges {
  /** How often there was one. */
  readonly count: number;
  /**
   * The last of them, the newest last: names, `*.` first for a wildcard; null = any of all. An edge that has missed more
   * than these forgets all.
   */
  readonly last: readonly (readonly string[] | null)[];
}

/** Secrets of 32 bytes each, written nowhere. Another edge of the node has the same. */
export interface NodeKeys {
  /** Made when the node starts. Signs the marks of requests that come round again, whichever edge they come back to. */
  readonly hopMarks: Uint8Array;
  /** Made when the node starts. Seals TLS session tickets; a new one takes its place from time to time, and what the last one sealed is void. */
  readonly tickets: Uint8Array;
  /**
   * What browsers keep of visitors who have logged in is sealed with the first one, and opened with any. They come of the
   * installation's key and the time: the same after a restart.
   */
  readonly logins: readonly LoginKey[];
}

export interface LoginKey {
  /** Its name in what it seals. */
  readonly id: number;
  readonly key: Uint8Array;
}

/** Shows an authority that a name leads here; the edge answers it before anything else. */
export type Challenge =
  /** `GET http://{name}/.well-known/acme-challenge/{token}` (RFC 8555 §8.3). */
  | { readonly kind: 'http-01'; readonly name: string; readonly token: string; readonly answer: string }
  /** A handshake for the name with the ALPN protocol `acme-tls/1` (RFC 8737 §3). */
  | { readonly kind: 'tls-alpn-01'; readonly name: string; readonly cert: string; readonly key: string };
