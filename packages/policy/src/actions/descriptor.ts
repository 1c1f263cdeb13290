/**
 * What an action is, for editors in a browser and for the server alike: everything else that is said of actions derives
 * from it. Browser-safe.
 */
import type * as z from 'zod/mini';

export type DocumentPhase = 'on_tcp_connect' | 'on_http_request' | 'on_http_response' | 'on_event_stream_message';

/**
 * Where a rule that an agent's option becomes stands (merge.ts), from 1 on: who may come in is decided before the user's
 * rules, what shapes the message behind them. Without a place it is first of all.
 */
export type MergePlace = { readonly before: number } | { readonly behind: number };

/** What ids of each kind of the account's things begin with. */
export const REFERENCE_PREFIXES = { 'ip-policy': 'ipp_', 'certificate-authority': 'ca_' } as const;
/** A `login-app` is the server's own, by the name of its provider. */
export type ReferenceKind = keyof typeof REFERENCE_PREFIXES | 'login-app';

export interface ActionFacts<Type extends string = string> {
  readonly type: Type;
  readonly phases: readonly DocumentPhase[];
  /** Endpoint protocols; absent = every protocol that has the phase. */
  readonly protocols?: readonly string[];
  /** Names of older documentation pages. */
  readonly aliases?: readonly string[];
  /** Segment after `actions.ngrok.` under which it leaves its result; absent = its type's. */
  readonly resultKey?: string;
  readonly place?: MergePlace;
  /** Fields of its config whose texts may be ids of something that the account has. */
  readonly references?: Readonly<Record<string, keyof typeof REFERENCE_PREFIXES>>;
}

export interface ActionDescriptor<Type extends string = string> extends ActionFacts<Type> {
  readonly resultKey: string;
  /** The schema of its config in one of its phases. */
  config(phase: DocumentPhase): z.ZodMiniType;
}

/** Keeps the type's name as a type. */
export function describeAction<const Type extends string>(descriptor: ActionDescriptor<Type>): ActionDescriptor<Type> {
  return descriptor;
}
