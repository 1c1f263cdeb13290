/**
 * What actions ask of whoever runs policies, beyond the message under way. Interfaces only: the edge implements them
 * once for all policies, so that what they keep outlives the edit of a policy.
 */
import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PosternError } from '@postern/errors';
import type { LoginEvent } from '@postern/link';
import type { Firewall } from '@postern/seclang';

export interface PolicyServices {
  readonly bcrypt: Bcrypt;
  readonly breakers: Breakers;
  readonly counters: Counters;
  readonly events: Events;
  readonly keys: Keys;
  readonly providers: Providers;
  readonly resources: Resources;
  readonly slices: Slices;
  readonly sessions: Sessions;
  /** null where no request is under way: connection rules call nobody. */
  readonly outgoing: OutgoingHttp | null;
  /** null where nobody is asked. */
  readonly relays: Relays | null;
  /** null where the operator has given no rules. */
  readonly firewall: Firewall | null;
  /** null where nobody has named data about addresses. */
  readonly addresses: Addresses | null;
}

/** What operators' data says about addresses. */
export interface Addresses {
  /** Fast and without waiting: it is asked by every expression that needs it. @returns null when nothing is known */
  about(ip: string): AddressFacts | null;
}

export interface AddressFacts {
  readonly location: Place;
  /** Where the network is registered. */
  readonly registered: Place;
  /** 0 = not known. */
  readonly asNumber: number;
  readonly asOrganization: string;
  /** `proxy.anonymous.tor`, `com.github.hooks`; the groups that they imply need not be listed. */
  readonly categories: readonly string[];
}

/** Texts as they are shown; what is not known is absent. */
export interface Place {
  readonly city?: string;
  readonly continent?: string;
  readonly country?: string;
  readonly countryCode?: string;
  readonly isEu?: boolean;
  readonly latitude?: string;
  readonly longitude?: string;
  readonly metroCode?: string;
  readonly postalCode?: string;
  /** Kilometres within which the place is. */
  readonly radius?: string;
  readonly subdivision?: string;
  readonly timezone?: string;
}

/** For whom something is done that takes a while: what places and turns are shared by. */
export interface Asker {
  readonly endpoint: string;
  readonly address: string;
}

/** Compares passwords that are known as bcrypt hashes only; one comparison takes a tenth of a second. */
export interface Bcrypt {
  /**
   * @returns true at once when it is known, else a promise of the verdict; null = nobody could be asked in time, which
   *   says nothing about the password
   */
  matches(password: string, hash: string, asker: Asker): true | Promise<boolean | null>;
}

/** Work that takes more than a moment, in slices of about a millisecond: one of all that wait in each turn of the loop. */
export interface Slices {
  /**
   * @param step does one slice and says whether that was the last; what it throws rejects
   * @param signal who gave up: no further slice begins
   * @returns `busy`: too many wait; `over`: the signal was aborted
   */
  run(asker: Asker, step: () => boolean, signal: AbortSignal): Promise<'done' | 'busy' | 'over'>;
}

/** Made once, with the policy: what an action counts, and up to where. */
export interface CountLimit {
  /** Which buckets belong together within an endpoint. One set has one window, whatever its capacity becomes. */
  readonly set: string;
  /** Events that one bucket may have within any window. */
  readonly capacity: number;
  readonly windowMs: number;
  /** Equal parts of the window; what is older than the oldest of them is forgotten part by part. */
  readonly slices: number;
}

/** Counts by endpoint, set and bucket, bounded in number; no set pushes out another's beyond its share. */
export interface Counters {
  /**
   * Counts one event in a bucket's sliding window, unless that is full.
   * @param endpointId whose policy counts
   * @param bucket short: it is kept as long as the count is
   * @returns 0 when there was room; else the milliseconds until there may be some. A promise where others count as well
   */
  take(endpointId: string, bucket: string, limit: CountLimit): number | Promise<number>;
}

/** Made once, with the policy: when a breaker trips, and for how long. */
export interface BreakerLimit {
  /** Of the breaker within its endpoint. */
  readonly name: string;
  /** 0 to 1: the share of failed requests from which on it trips. */
  readonly errorShare: number;
  /** Requests within the window before which it never trips. */
  readonly volume: number;
  readonly windowMs: number;
  /** Equal parts of the window; what is older than the oldest of them is forgotten part by part. */
  readonly slices: number;
  readonly trippedMs: number;
}

/** One request that a breaker has let through. */
export interface BreakerPass {
  /** Called once, when the request is over. */
  leave(verdict: 'failed' | 'fine' | 'unknown'): void;
}

/** Circuit breakers by endpoint and name, bounded in number; what they have counted outlives the edit of a policy. */
export interface Breakers {
  /**
   * @returns null while the breaker is open: the request is not to come to the service. A promise where others count as
   *   well
   */
  enter(endpointId: string, limit: BreakerLimit): BreakerPass | null | Promise<BreakerPass | null>;
}

/** A request of a policy's own. */
export interface OutgoingRequest {
  readonly method: string;
  /** Absolute and in normal form: `https://auth.internal:8443/check?a=b`. */
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Empty = none. */
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** Bytes of the answer's body, decoded. */
  readonly limit: number;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Decoded. */
  readonly body: Buffer;
  readonly ms: number;
}

/** Calls internal endpoints of the account that a policy belongs to; nothing else can be reached by it. */
export interface OutgoingHttp {
  /**
   * Ends with the exchange of `from` at the latest. The rules of the called endpoint are paid for by the request that
   * `from` belongs to.
   * @param from the PolicyContext that the action runs in
   * @returns the answer, whatever its status, or why there is none; never rejects
   */
  call(request: OutgoingRequest, from: object): Promise<OutgoingAnswer | PosternError>;
}

/** A visitor's request that somebody on the internet answers. */
export interface RelayRequest {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Until the head of the answer is there. */
  readonly timeoutMs: number;
  /** How long its body may say nothing, while somebody takes it. */
  readonly silenceMs: number;
  readonly endpointId: string;
  /** Ends it, and the answer. */
  readonly signal: AbortSignal;
}

/** Its body has not been read: whoever takes the answer reads or destroys it. */
export interface RelayedAnswer {
  readonly status: number;
  /** As sent: name, value, name, value, … */
  readonly fields: readonly string[];
  /** Ends with an error when the answer broke off. */
  readonly body: Readable;
  readonly silenceMs: number;
}

export interface RelayProblem {
  /** A clause with its subject. */
  readonly problem: string;
  readonly late: boolean;
}

/** Asks public addresses, and those that the operator allows, and nothing else. Never rejects. */
export interface Relays {
  open(request: RelayRequest): Promise<RelayedAnswer | RelayProblem>;
}

/** Something that a policy has to tell whoever operates its endpoint. */
export interface PolicyEvent {
  /** The action that tells it, e.g. `log`. */
  readonly type: string;
  readonly endpointId: string;
  /** Plain data, as JSON would have it; not changed afterwards. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Events {
  /** Never throws and never waits: an event that finds no room is counted, and lost. */
  emit(event: PolicyEvent): void;
}

/** One public key of a published set (RFC 7517). */
export interface PublishedKey {
  /** '' = it has no name. */
  readonly kid: string;
  /** The one algorithm that it is for; '' = it does not say. */
  readonly alg: string;
  readonly key: KeyObject;
}

/** Sets of public keys that are published at addresses (JWKS), as they were a few minutes ago at most. */
export interface Keys {
  /**
   * The keys for signatures of the set at `url`. A set that is fresh and has `kid` is given at once. One without it is
   * asked for again, though not more often than every so many seconds, however many unknown names visitors present;
   * whoever asks for the same set meanwhile waits for the same answer.
   * @param url absolute, https
   * @param kid '' = any
   * @param endpointId whose policy asks: what questions under way and kept sets are shared by
   * @returns all keys of the set, also where none is called `kid`; why there is no set, as a clause with its subject;
   *   never rejects, and is there within seconds
   */
  at(
    url: string,
    kid: string,
    endpointId: string,
  ): readonly PublishedKey[] | Promise<readonly PublishedKey[] | KeysProblem>;
}

export interface KeysProblem {
  readonly problem: string;
}

/** What was sealed, opened again. */
export interface Opened {
  readonly text: string;
  /** By a key that will be void before long: whoever keeps it seals it anew. */
  readonly old: boolean;
}

/**
 * What visitors' browsers keep for this server, in cookies and URLs that they cannot read, change, or use in another
 * place. All edges of a node open what one of them has sealed, also after a restart.
 */
export interface Sessions {
  /** Encrypts and authenticates. @param place what it is for, and for whom: it opens in no other */
  seal(text: string, place: string): string;
  /** @returns null for what was not sealed here, for this place, or too long ago */
  open(sealed: string, place: string): Opened | null;
  /** 32 bytes that nobody can guess, as 43 characters of base64url. */
  random(): string;
  /**
   * The session is over before its time; what its visitor may have kept of it lets nobody in.
   * @param until Unix milliseconds
   * @returns where there are other edges, a promise that resolves when it is over there as well
   */
  end(id: string, until: number): void | Promise<void>;
  /** @param person whose it is, and `begunAt` since when: all that he had begun before may be over */
  isOver(id: string, person: string, begunAt: number): boolean;
  /**
   * Spends what may be used once, whoever shows it.
   * @param until Unix milliseconds from which on it is of no use by itself
   * @returns whether nobody had before. A promise where others count as well
   */
  spend(key: string, until: number): boolean | Promise<boolean>;
  /** Whether nothing of it was told for a while, so that its request is worth telling. */
  isUnseen(id: string): boolean;
  /** For the list of visitors and of their sessions, and so that what has ended stays so. */
  tell(event: LoginEvent): void;
  /**
   * Does once what many requests of one session ask for at the same time, and remembers what came of it for a minute
   * where that is worth it: until then browsers present what they had before.
   * @param work of which plain data come: requests at other edges get them, too
   */
  once<T>(key: string, work: () => Promise<T>, isKept: (result: T) => boolean): Promise<T>;
  /** Whether endpoints of other accounts may be under the domain, so that no cookie may be for all of it. */
  isShared(domain: string): boolean;
}

/** What the operator says of an identity provider; what is '' is as everybody has it. */
export interface ProviderSettings {
  /** An app of this server, for policies without one of their own; '' = there is none. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where another installation of it answers. */
  readonly issuer: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly userinfoUrl: string;
}

export interface ProviderRequest {
  readonly url: string;
  /** Sent by POST, as a form; null = GET. */
  readonly form: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it early; null = others wait for the answer, too. */
  readonly signal: AbortSignal | null;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Why nobody could be asked, as a clause with its subject; busy = because of others who ask now. */
export interface ProviderProblem {
  readonly problem: string;
  readonly busy?: boolean;
}

/** Identity providers on the internet. Bounded in everything; nothing here rejects, and all of it is there within seconds. */
export interface Providers {
  /** Where all of them send visitors back to, whatever the endpoint: a provider wants to know the address before. */
  readonly callbackUrl: string;
  /** null = the operator says nothing of it. */
  settings(provider: string): ProviderSettings | null;
  ask(request: ProviderRequest, asker: Asker): Promise<ProviderAnswer | ProviderProblem>;
  /** A JSON object at an address, as it was a quarter of an hour ago at most (an hour more while nobody answers there). */
  document(url: string, asker: Asker): Published | Promise<Published | ProviderProblem>;
}

export interface Published {
  readonly document: Readonly<Record<string, unknown>>;
}

/** Whether an address is in one of some ranges. */
export interface AddressRanges {
  /** @returns the narrowest range that has the address, as written, or null */
  match(address: string): string | null;
}

/** Rules of an IP policy. */
export interface IpPolicy {
  readonly allow: AddressRanges;
  readonly deny: AddressRanges;
}

/**
 * What the accounts of this server have that policies name, as it is now: a secret that is changed is another one for the
 * next rule that asks. null = the account has none of that name.
 */
export interface Resources {
  secret(accountId: string, vault: string, name: string): string | null;
  ipPolicy(accountId: string, id: string): IpPolicy | null;
  /** PEM; may hold several certificates. */
  certificateAuthority(accountId: string, id: string): string | null;
}
