/** Joins an endpoint with its compiled policy. */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import type { CompiledPhase, CompiledPolicy, CompileOptions, Outcome, PhaseName } from '@postern/policy';
import type { LiveEndpoint, Log } from '../context.ts';
import type { RouteEndpoint } from '@postern/link';

/** Compiles a policy text; throws what is wrong with it. */
export type PolicyCompiler = (source: string, options: CompileOptions) => CompiledPolicy;

/**
 * Makes the live form of an endpoint. The policy of `previous` is kept when nothing that it depends on has changed.
 *
 * A policy that does not compile here (control has validated it, so this is our fault or another version's) must never
 * let traffic pass as if it had no rules: the endpoint stays up and answers every connection or request with 2300.
 */
export function enliven(
  endpoint: RouteEndpoint,
  previous: LiveEndpoint | undefined,
  compile: PolicyCompiler,
  log: Log,
): LiveEndpoint {
  if (previous !== undefined && samePolicy(previous.endpoint, endpoint)) return { endpoint, policy: previous.policy };
  if (endpoint.policy === '') return { endpoint, policy: null };
  const options = { protocol: endpoint.proto, binding: endpoint.binding, kind: endpoint.kind };
  try {
    return { endpoint, policy: compile(endpoint.policy, options) };
  } catch (error) {
    // The reason may quote the policy, and with it a password.
    const code = isPosternError(error) ? error.code : error instanceof Error ? error.name : '';
    log.error({ endpoint: endpoint.id, url: endpoint.url, code }, 'traffic policy does not compile');
    return { endpoint, policy: failingPolicy(endpoint) };
  }
}

function samePolicy(a: RouteEndpoint, b: RouteEndpoint): boolean {
  return a.policy === b.policy && a.proto === b.proto && a.binding === b.binding && a.kind === b.kind;
}

/** Fails in the first phase that every use of the endpoint runs. */
function failingPolicy(endpoint: RouteEndpoint): CompiledPolicy {
  const error = fail(2300, { type: 'traffic policy' });
  const http = endpoint.proto === 'http' || endpoint.proto === 'https';
  return {
    onTcpConnect: http ? null : failingPhase('on_tcp_connect', error),
    onHttpRequest: http ? failingPhase('on_http_request', error) : null,
    onHttpResponse: null,
    onEventStreamMessage: null,
  };
}

function failingPhase(name: PhaseName, error: PosternError): CompiledPhase {
  const outcome: Outcome = { kind: 'error', error, headers: [] };
  return { name, start: () => ({ next: () => outcome, forwardFailed: () => outcome }) };
}

export function hasHttpRules({ onHttpRequest, onHttpResponse, onEventStreamMessage }: CompiledPolicy): boolean {
  return onHttpRequest !== null || onHttpResponse !== null || onEventStreamMessage !== null;
}
