/** One name that expressions may use. */
import type { PhaseName } from '../../runtime.ts';
import type { Eval, Scope } from '../scope.ts';
import { STRING_MAP, STRINGS, type Shape } from '../shapes.ts';
import type { Failure, Result, StaticType } from '../value.ts';

/** Access by key without building the map first: headers, query parameters, cookies. */
export interface Keyed {
  get(scope: Scope, key: string): Result;
  has(scope: Scope, key: string): boolean | Failure;
}

export interface Variable {
  readonly name: string;
  readonly type: StaticType;
  readonly phases: readonly PhaseName[];
  readonly get: Eval;
  /** Of lists and maps: what is in them. Its type is `type`. */
  readonly shape?: Shape;
  readonly keyed?: Keyed;
  /** Fields and items that are missing read as null instead of failing (traffic-policy.md §2.9). */
  readonly lenient?: boolean;
}

/** Where there is an answer: its head is there for its messages, too. */
export const RESPONSE_PHASE: readonly PhaseName[] = ['on_http_response', 'on_event_stream_message'];
export const HTTP_PHASES: readonly PhaseName[] = ['on_http_request', ...RESPONSE_PHASE];
export const ANY_PHASE: readonly PhaseName[] = ['on_tcp_connect', ...HTTP_PHASES];

/** Lists and plain maps of variables hold text. */
export function insideOf(type: StaticType): { readonly shape?: Shape } {
  if (type === 'list') return { shape: STRINGS };
  return type === 'map' ? { shape: STRING_MAP } : {};
}
