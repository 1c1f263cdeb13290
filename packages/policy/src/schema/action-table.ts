/**
 * Every action of the language: where it may stand, and whether this build can run it (traffic-policy.md §3). What is
 * known but not built is refused by name, so that no rule is ever dropped in silence. Browser-safe.
 */
export type DocumentPhase = 'on_tcp_connect' | 'on_http_request' | 'on_http_response' | 'on_event_stream_message';

export const DOCUMENT_PHASES: readonly DocumentPhase[] = [
  'on_tcp_connect',
  'on_http_request',
  'on_http_response',
  'on_event_stream_message',
];

const T = 'on_tcp_connect';
const R = 'on_http_request';
const S = 'on_http_response';
const E = 'on_event_stream_message';

export interface ActionFacts {
  readonly phases: readonly DocumentPhase[];
  /** Endpoint protocols; absent = every protocol that has the phase. */
  readonly protocols?: readonly string[];
  readonly available: boolean;
}

const built = (...phases: DocumentPhase[]): ActionFacts => ({ phases, available: true });
const later = (...phases: DocumentPhase[]): ActionFacts => ({ phases, available: false });

export const ACTIONS = {
  'add-headers': built(R, S),
  'ai-gateway': later(R),
  'basic-auth': built(R),
  'circuit-breaker': later(R),
  'close-connection': built(T, R),
  'compress-response': built(S),
  'custom-response': built(R, S),
  deny: built(T, R),
  'forward-internal': built(T, R),
  'http-request': built(R, S),
  'jwt-validation': later(R),
  log: later(T, R, S),
  oauth: later(R),
  'openid-connect': later(R),
  'owasp-crs-request': later(R),
  'owasp-crs-response': later(S),
  'rate-limit': built(R),
  redirect: built(R),
  'remove-headers': built(R, S),
  'request-body-find-replace': later(R),
  'response-body-find-replace': later(S),
  'restrict-ips': built(T, R, S),
  saml: later(R),
  'set-vars': built(T, R, S),
  'sse-find-replace': later(E),
  'terminate-tls': { phases: [T], protocols: ['https', 'tls'], available: true },
  'url-rewrite': later(R),
  'verify-webhook': built(R),
} as const satisfies Record<string, ActionFacts>;

export type ActionType = keyof typeof ACTIONS;

/** Names of older documentation pages. */
const ALIASES: Readonly<Record<string, ActionType>> = {
  'webhook-validation': 'verify-webhook',
  oidc: 'openid-connect',
};

/** @returns the action that `type` names today, or undefined when there is none. */
export function actionType(type: string): ActionType | undefined {
  if (isActionType(type)) return type;
  return Object.hasOwn(ALIASES, type) ? ALIASES[type] : undefined;
}

function isActionType(type: string): type is ActionType {
  return Object.hasOwn(ACTIONS, type);
}

export function actionFacts(type: ActionType): ActionFacts {
  return ACTIONS[type];
}

/** The segment after `actions.ngrok.` under which an action leaves its result (traffic-policy.md §4). */
export const RESULT_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(ACTIONS).map((name) => name.replaceAll('-', '_')),
  'compress',
  'oidc',
]);
