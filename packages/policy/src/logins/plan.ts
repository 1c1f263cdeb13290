/** What the actions that log visitors in have in common: how they are set up, and what they know of one request. */
import type { PosternError } from '@postern/errors';
import type { Recorder } from '../actions/action.ts';
import type { Scope } from '../cel/scope.ts';
import type { Template } from '../interpolation/template.ts';
import type { PolicyContext, RequestView } from '../runtime.ts';
import type { CookiePlace } from './cookies.ts';
import type { Identity, Tokens } from './session.ts';

/** Where a provider is, and how it wants to be asked. */
export interface Places {
  /** '' = it is not looked at who says that he answers. */
  readonly issuer: string;
  /** Whether answers always say whose they are (RFC 9207). */
  readonly namesItself: boolean;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** '' = there is none. */
  readonly userinfoUrl: string;
  /** Keys that identity tokens are signed by; '' = none are looked at. */
  readonly keysUrl: string;
  readonly usesBasic: boolean;
  readonly usesPkce: boolean;
  /** Parameters that go with every log-in, and with one that shall ask for the password again. */
  readonly always: readonly (readonly [string, string])[];
  readonly again: readonly (readonly [string, string])[];
}

/** Who a provider says that its tokens are for; 'refused' = it takes them no more. */
export type Asked = Identity | PosternError | 'refused';

export interface Provider {
  /** Sessions of another one are others. */
  readonly name: string;
  places(visit: Visit): Places | PosternError | Promise<Places | PosternError>;
  /** @param known what a checked identity token has said, if there is one */
  identify(
    visit: Visit,
    places: Places,
    tokens: Tokens,
    known: Identity | null,
    signal: AbortSignal | null,
  ): Promise<Asked>;
}

export interface LoginPlan {
  readonly type: 'oauth' | 'openid-connect';
  /** e.g. `on_http_request[0].actions[1].config`. */
  readonly path: string;
  readonly provider: Provider;
  readonly authId: string;
  /** null = the server's own app. */
  readonly client: { readonly id: Template; readonly secret: Template } | null;
  /** Separated by blanks. */
  readonly scope: string;
  readonly params: readonly (readonly [string, string])[];
  /** Milliseconds; Infinity = never. */
  readonly maxMs: number;
  readonly idleMs: number;
  readonly refreshMs: number;
  readonly allowsPreflight: boolean;
  /** '' = the cookies are for the host alone. */
  readonly cookieDomain: string;
  /** Changes when what a log-in is asked for does. */
  readonly fingerprint: string;
  readonly recorder: Recorder;
}

/** An app at a provider. */
export interface Client {
  readonly id: string;
  /** '' = it has none. */
  readonly secret: string;
}

/** One request that meets the action. */
export interface Visit {
  readonly plan: LoginPlan;
  readonly scope: Scope;
  readonly context: PolicyContext;
  readonly req: RequestView;
  readonly client: Client;
  /** Whose sessions let in here: account, address, provider and app, as one text. */
  readonly realm: string;
  /** `https://host[:port]`, as the visitor has it. */
  readonly origin: string;
  readonly cookiePlace: CookiePlace;
}
