/**
 * Runs `on_tcp_connect` of the endpoint that a connection belongs to, and of every internal endpoint that it is
 * forwarded to, until one lets it pass or ends it (traffic-policy.md §1, §2).
 */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import {
  REQUEST_BUDGET,
  REQUEST_EFFORT,
  type CompiledPhase,
  type ConnView,
  type EndpointView,
  type InternalAddress,
  type Outcome,
  type PhaseRun,
  type PolicyContext,
  type PolicyServices,
  type TlsTermination,
  type WorkLeft,
} from '@postern/policy';
import type { EdgeContext, LiveEndpoint } from '../context.ts';
import type { RouteEndpoint } from '@postern/link';
import { withDeadline } from '../deadline.ts';
import { warnOfPolicy } from '../policy-warnings.ts';
import { carriesHttp, findForward, nextHop } from '../routing/forward.ts';
import { pickUpstream } from '../routing/pick-member.ts';

const POLICY_MS = 30_000;

export type ConnectVerdict =
  | {
      readonly kind: 'pass';
      /** The endpoint that serves the connection: the one it came to, or the last it was forwarded to. */
      readonly live: LiveEndpoint;
      /** What `terminate-tls` asked for, if it ran. */
      readonly termination: TlsTermination | null;
    }
  /** `error` null: a rule closed it without a word. */
  | { readonly kind: 'close'; readonly error: PosternError | null };

/** Never rejects: what goes wrong inside becomes a `close`. */
export async function runConnectPhase(
  context: EdgeContext,
  conn: ConnView,
  entry: LiveEndpoint,
): Promise<ConnectVerdict> {
  let live = entry;
  let termination: TlsTermination | null = null;
  const work: WorkLeft = { unitsLeft: REQUEST_BUDGET, effortLeft: REQUEST_EFFORT };
  try {
    for (let hops = 0; ; hops++) {
      const phase = live.policy?.onTcpConnect ?? null;
      if (phase === null) return arrive(live, termination);
      const step = await runOne(context, { conn, work }, live, phase, hops);
      termination ??= step.termination;
      if (step.next === null) return step.closed ?? arrive(live, termination);
      live = step.next;
    }
  } catch (error) {
    if (isPosternError(error)) return { kind: 'close', error };
    context.log.error({ endpoint: live.endpoint.id, reason: String(error) }, 'connection rules failed');
    return { kind: 'close', error: fail(2300, { type: 'on_tcp_connect' }, { cause: error }) };
  }
}

interface Step {
  readonly termination: TlsTermination | null;
  /** Set: forwarded there. */
  readonly next: LiveEndpoint | null;
  /** Set: ended. Neither: passed. */
  readonly closed: ConnectVerdict | null;
}

async function runOne(
  context: EdgeContext,
  connection: { readonly conn: ConnView; readonly work: WorkLeft },
  live: LiveEndpoint,
  phase: CompiledPhase,
  hops: number,
): Promise<Step> {
  const policyContext = new ConnectContext(context, connection, live.endpoint);
  try {
    return await walk(context, policyContext, live, phase, hops);
  } finally {
    policyContext.end();
  }
}

async function walk(
  context: EdgeContext,
  policyContext: ConnectContext,
  live: LiveEndpoint,
  phase: CompiledPhase,
  hops: number,
): Promise<Step> {
  const run: PhaseRun = phase.start(policyContext);
  const settle = (outcome: Outcome | Promise<Outcome>): Outcome | Promise<Outcome> =>
    outcome instanceof Promise
      ? withDeadline(context.wheel, outcome, POLICY_MS, () => fail(2300, { type: 'on_tcp_connect' }))
      : outcome;
  let outcome = await settle(run.next());
  for (;;) {
    const { tlsTermination } = policyContext;
    const ended = (error: PosternError | null): Step => ({
      termination: tlsTermination,
      next: null,
      closed: { kind: 'close', error },
    });
    switch (outcome.kind) {
      case 'continue':
        return { termination: tlsTermination, next: null, closed: null };
      case 'error':
        return ended(outcome.error);
      case 'close':
        return ended(null);
      case 'respond':
      case 'relay':
        return ended(fail(2300, { type: 'on_tcp_connect' }));
      case 'forward':
        try {
          nextHop(hops);
          const next = forwardTarget(context, live.endpoint, outcome.to);
          return { termination: tlsTermination, next, closed: null };
        } catch (error) {
          if (!isPosternError(error)) throw error;
          if (outcome.onError === 'halt') return ended(error);
          outcome = await settle(run.forwardFailed(error));
        }
    }
  }
}

function forwardTarget(context: EdgeContext, { accountId }: RouteEndpoint, to: InternalAddress): LiveEndpoint {
  const { target } = findForward(context, accountId, to);
  if (target.endpoint.kind !== 'cloud' && pickUpstream(target, context.agents, context.random) === null)
    throw fail(3210);
  return target;
}

function arrive(live: LiveEndpoint, termination: TlsTermination | null): ConnectVerdict {
  const { kind, proto } = live.endpoint;
  // HTTP endpoints have their request phases still before them.
  if (kind === 'cloud' && !carriesHttp(proto)) return { kind: 'close', error: fail(6029) };
  return { kind: 'pass', live, termination };
}

class ConnectContext implements PolicyContext {
  readonly services: PolicyServices;
  readonly conn: ConnView;
  readonly endpoint: EndpointView;
  readonly req = null;
  readonly res = null;
  readonly event = null;
  readonly responseVars = null;
  readonly work: WorkLeft;
  results: Map<string, unknown> | null = null;
  tlsTermination: TlsTermination | null = null;
  readonly strict: boolean;
  readonly #context: EdgeContext;
  #over: AbortController | null = null;

  constructor(
    context: EdgeContext,
    connection: { readonly conn: ConnView; readonly work: WorkLeft },
    endpoint: RouteEndpoint,
  ) {
    this.#context = context;
    this.strict = context.config.strictExpressions;
    this.services = context.services;
    this.conn = connection.conn;
    this.work = connection.work;
    this.endpoint = endpoint;
  }

  get signal(): AbortSignal {
    return (this.#over ??= new AbortController()).signal;
  }

  /** The phase is over, whether an action of it waits still or not. */
  end(): void {
    this.#over?.abort();
  }

  now(): number {
    return this.#context.now();
  }

  random(): number {
    return this.#context.random();
  }

  warn(message: string): void {
    warnOfPolicy(this.#context, this.endpoint.id, message);
  }
}
