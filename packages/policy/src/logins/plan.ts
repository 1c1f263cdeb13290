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

/** Of any action that keeps sessions. */
export interface SessionPlan {
  readonly type: 'oauth' | 'openid-connect' | 'saml';
  /** e.g. `on_http_request[0].actions[1].config`. */
  readonly path: string;
  readonly provider: Pick<Provider, 'name'>;
  readonly authId: string;
  /** Milliseconds; Infinity = never. */
  readonly maxMs: number;
  readonly idleMs: number;
  readonly allowsPreflight: boolean;
  /** '' = the cookies are for the host alone. */
  readonly cookieDomain: string;
  readonly recorder: Recorder;
}

export interface LoginPlan extends SessionPlan {
  readonly type: 'oauth' | 'openid-connect';
  readonly provider: Provider;
  /** null = the server's own app. */
  readonly client: { readonly id: Template; readonly secret: Template } | null;
  /** Separated by blanks. */
  readonly scope: string;
  readonly params: readonly (readonly [string, string])[];
  /** Milliseconds; Infinity = never. */
  readonly refreshMs: number;
  /** Changes when what a log-in is asked for does. */
  readonly fingerprint: string;
}

/** An app at a provider. */
export interface Client {
  readonly id: string;
  /** '' = it has none. */
  readonly secret: string;
}

/** One request that meets an action that keeps sessions. */
export interface SessionVisit {
  readonly plan: SessionPlan;
  readonly context: PolicyContext;
  readonly req: RequestView;
  /** Whose sessions let in here: account, address, provider and app, as one text. */
  readonly realm: string;
  /** `https://host[:port]`, as the visitor has it. */
  readonly origin: string;
  readonly cookiePlace: CookiePlace;
  /** App and tokens are the endpoint's own, and its service may have them. */
  readonly tellsTokens: boolean;
}

/** One that meets `oauth` or `openid-connect`. */
export interface Visit extends SessionVisit {
  readonly plan: LoginPlan;
  readonly scope: Scope;
  readonly client: Client;
}
