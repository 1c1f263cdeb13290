/** What the two actions that judge messages by the Core Rule Set have in common. */
import { fail, type PosternError } from '@postern/errors';
import type { RequestMessage, Verdict } from '@postern/seclang';
import type { Scope } from '../cel/scope.ts';
import { fromPlain } from '../cel/value.ts';
import type { HeaderView, PolicyContext, RequestView } from '../runtime.ts';
import { readConfig } from '../schema/problems.ts';
import { GO_ON, type ActionEnv, type Step } from './action.ts';
import { failed } from './outcome.ts';
import { owaspCrsSchema } from './owasp-crs-request/schema.ts';

/** Bytes of a body that rules look at. */
export const BODY_START = 4096;
/**
 * What judging one request and its answer may cost, through all the endpoints that it passes: 0.1 s of a core, in units of
 * ten nanoseconds.
 */
const UNITS = 10_000_000;

export interface FirewallAction {
  readonly type: string;
  readonly env: ActionEnv;
  /** What is denied is let through all the same, and only told. */
  readonly continues: boolean;
  readonly processBody: boolean;
  readonly excluded: ReadonlySet<number>;
  /** What a denied message is answered with. */
  readonly denial: PosternError;
}

/** @throws PosternError 22xx, 90029 */
export function firewallAction(
  type: string,
  denial: PosternError,
  config: Readonly<Record<string, unknown>>,
  env: ActionEnv,
): FirewallAction {
  const parsed = readConfig(owaspCrsSchema, config, env.path);
  if (!env.firewall) throw fail(90029, { path: env.path, type });
  return {
    type,
    env,
    denial,
    continues: parsed.on_error === 'continue',
    processBody: parsed.process_body,
    excluded: new Set(parsed.exclude_rule_ids),
  };
}

/** Requests under way, by what all endpoints that one passes share: what judging it may still cost. */
const unitsLeft = new WeakMap<object, number>();

/** Judges, pays for it, and says what comes of it. */
export function settleVerdict(action: FirewallAction, scope: Scope, judge: (units: number) => Verdict): Step {
  const { work } = scope.context;
  const verdict = judge(unitsLeft.get(work) ?? UNITS);
  unitsLeft.set(work, verdict.left);
  const error = verdict.denied ? action.denial : verdict.problem === null ? null : unjudged(verdict.problem);
  return settle(action, scope, error, verdict);
}

export function unjudged(reason: string): PosternError {
  return fail(3701, { reason });
}

/** @param verdict null = there is none */
export function settle(
  action: FirewallAction,
  scope: Scope,
  error: PosternError | null,
  verdict: Verdict | null,
): Step {
  action.env.recorder.record(scope.context, () =>
    fromPlain({
      decision: verdict?.denied === true ? 'deny' : 'allow',
      anomaly_score: verdict?.score ?? 0,
      anomaly_score_threshold: verdict?.threshold ?? 0,
      matched_rules: (verdict?.matched ?? []).map(({ id, message, severity, data }) => ({
        id,
        message: textOf(message),
        severity,
        data: textOf(data),
      })),
      error: { code: error?.code ?? '', message: error?.message ?? '' },
    }),
  );
  return error === null || action.continues ? GO_ON : failed(error);
}

/** Rules see bytes, one to a character. */
export function bytesOf(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export function linesOf(headers: HeaderView): [name: string, value: string][] {
  return Array.from(headers.entries(), ([name, value]) => [name, bytesOf(value)]);
}

/** The request as it is now, without a body. */
export function requestMessage(context: PolicyContext, req: RequestView): RequestMessage {
  const { conn, endpoint } = context;
  const headers = linesOf(req.headers);
  // HTTP/2 has the host beside its fields, and rules look for it among them.
  if (!req.headers.has('host')) headers.unshift(['host', bytesOf(req.authority)]);
  return {
    clientIp: conn.clientIp,
    clientPort: conn.clientPort,
    serverIp: conn.serverIp,
    serverPort: conn.serverPort,
    serverName: endpoint.host,
    method: req.method,
    target: bytesOf(req.target),
    version: req.version,
    headers,
    body: null,
    bodyCut: false,
    now: context.now(),
    id: '',
  };
}
