import type { Caller, Turns } from '@postern/control';
import type { ClientNeeds } from '../clients.ts';
import type { BodyRule } from '../pipeline/body.ts';
import type { Query, QueryRule } from '../pipeline/query.ts';
import type { Urls } from '../wire/urls.ts';
import type { WireObject } from '../wire/values.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** One call that passed every check of the pipeline. */
export interface Call<Body = unknown> {
  readonly caller: Caller;
  /** Path parameters by name; each is shaped like an id of its resource. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly urls: Urls;
  readonly needs: ClientNeeds;
  /** When the call came, in milliseconds since 1970; `time.now` of filters. */
  readonly now: number;
  /** For what looks at many rows: its slices and those of other calls take turns. */
  readonly turns: Turns;
}

/** What is sent back: `body` null means an empty 204. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body: WireObject | null;
}

/** A method on a path: everything that the pipeline must know before the handler may run. */
export interface Operation<Body = unknown> {
  readonly method: Method;
  /** With parameters as `:name`. */
  readonly path: string;
  /** Path parameter → id prefixes that it may have. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly query: QueryRule;
  /** null = a body is neither needed nor looked at. */
  readonly body: BodyRule<Body> | null;
  /** null = no such resource: a plain 404. */
  handle(call: Call<Body>): Promise<Answer | null>;
}

export const NO_CONTENT: Answer = { status: 204, body: null };

export function ok(body: WireObject): Answer {
  return { status: 200, body };
}

/** The path parameter `name`; the router has filled it before any operation runs. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}
