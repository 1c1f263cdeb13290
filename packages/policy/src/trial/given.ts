/** What a trial of a policy is given: a request, and everything that the policy may ask for. */
import type { AddressFacts } from '../services.ts';
import type { HeaderLines } from './headers.ts';

/** A whole answer, or that nobody is there to give one. */
export type GivenAnswer =
  | { readonly status: number; readonly headers: HeaderLines; readonly body: Buffer }
  | { readonly offline: true };

export interface GivenRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** host[:port] */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: HeaderLines;
  readonly body: Buffer;
  readonly version: string;
  readonly clientIp: string;
  readonly serverIp: string;
  /** The name that the ClientHello asks for. */
  readonly sni: string;
  readonly ja4: string;
}

/** An answer that http-request gets; method '' = any. */
export interface GivenCall {
  readonly method: string;
  readonly url: string;
  readonly answer: GivenAnswer;
}

/** A visitor whom a log-in knows. */
export interface GivenLogin {
  readonly authId: string;
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

export interface Given {
  readonly request: GivenRequest;
  /** What the endpoint's own service answers, and targets of forwards that `forwards` does not name. */
  readonly service: GivenAnswer;
  readonly forwards: ReadonlyMap<string, GivenAnswer>;
  readonly calls: readonly GivenCall[];
  /** By vault, then by name. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly ipPolicies: ReadonlyMap<string, { readonly allow: readonly string[]; readonly deny: readonly string[] }>;
  /** PEM texts by id. */
  readonly authorities: ReadonlyMap<string, string>;
  /** Published sets of keys (RFC 7517) by address. */
  readonly jwks: ReadonlyMap<string, unknown>;
  /** JSON that is published at addresses: what an OpenID Connect provider says of itself. */
  readonly documents: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Who has logged in; null = nobody. */
  readonly login: GivenLogin | null;
  /** What is known of addresses; null = no data about them is there. */
  readonly addresses: ReadonlyMap<string, AddressFacts> | null;
  /** Whether circuit breakers have tripped. */
  readonly tripped: boolean;
  /** What the rules of the server's firewall say; null = it is not given. */
  readonly firewall: 'allow' | 'deny' | null;
  /** Unix milliseconds. */
  readonly now: number;
  /** [0, 1) */
  readonly random: number;
  /** How often the same request comes; the last one is judged. */
  readonly times: number;
}

export const EMPTY_ANSWER: GivenAnswer = { status: 200, headers: [], body: Buffer.alloc(0) };

/** Without anything but its request. */
export function givenOnly(request: GivenRequest, now: number): Given {
  return {
    request,
    service: EMPTY_ANSWER,
    forwards: new Map(),
    calls: [],
    secrets: new Map(),
    ipPolicies: new Map(),
    authorities: new Map(),
    jwks: new Map(),
    documents: new Map(),
    login: null,
    addresses: null,
    tripped: false,
    firewall: null,
    now,
    random: 0.5,
    times: 1,
  };
}
