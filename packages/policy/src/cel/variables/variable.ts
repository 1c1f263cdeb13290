/** One name that expressions may use. */
import type { PhaseName } from '../../runtime.ts';
import type { Eval, Scope } from '../scope.ts';
import type { Result, StaticType } from '../value.ts';

/** Access by key without building the map first: headers, query parameters, cookies. */
export interface Keyed {
  get(scope: Scope, key: string): Result;
  has(scope: Scope, key: string): boolean;
}

export interface Variable {
  readonly name: string;
  readonly type: StaticType;
  readonly phases: readonly PhaseName[];
  readonly get: Eval;
  /** Type of the map's values, where `keyed` is given. */
  readonly keyed?: Keyed;
  readonly valueType?: StaticType;
  /** Fields and items that are missing read as null instead of failing (traffic-policy.md §2.9). */
  readonly lenient?: boolean;
  /** Known to the language, not to this build. */
  readonly unavailable?: boolean;
}

export const ANY_PHASE: readonly PhaseName[] = ['on_tcp_connect', 'on_http_request', 'on_http_response'];
export const HTTP_PHASES: readonly PhaseName[] = ['on_http_request', 'on_http_response'];
export const RESPONSE_PHASE: readonly PhaseName[] = ['on_http_response'];
