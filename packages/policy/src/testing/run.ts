/** Shortcuts from a policy's text to what it does, for tests. */
import { isPosternError } from '@postern/errors';
import { compilePolicy, type CompiledPolicy, type CompileOptions, type Outcome, type PhaseName } from '../index.ts';
import { makeContext, type Facts, type TestContext } from './context.ts';

export const AGENT: CompileOptions = { protocol: 'https', binding: 'public', kind: 'agent' };
export const CLOUD: CompileOptions = { protocol: 'https', binding: 'public', kind: 'cloud' };

/** `number message` of what is wrong with the policy, or 'accepted'. */
export function refusal(source: string | object, options: CompileOptions = AGENT): string {
  try {
    compilePolicy(source, options);
  } catch (error) {
    if (isPosternError(error)) return `${error.number} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

export function rule(phase: PhaseName, ...actions: object[]): object {
  return { [phase]: [{ actions }] };
}

export function phaseOf(policy: CompiledPolicy, phase: PhaseName) {
  if (phase === 'on_tcp_connect') return policy.onTcpConnect;
  if (phase === 'on_http_request') return policy.onHttpRequest;
  return phase === 'on_http_response' ? policy.onHttpResponse : policy.onEventStreamMessage;
}

/** Compiles a policy of one phase and runs it once. */
export async function run(
  phase: PhaseName,
  rules: readonly object[],
  facts: Facts = {},
  options: CompileOptions = AGENT,
): Promise<{ outcome: Outcome; context: TestContext }> {
  const answered = phase === 'on_http_response' || phase === 'on_event_stream_message';
  const context = makeContext(answered ? { status: 200, ...facts } : facts);
  const compiled = phaseOf(compilePolicy({ [phase]: rules }, options), phase);
  if (compiled === null) throw new Error('the policy has no rules');
  return { outcome: await compiled.start(context).next(), context };
}

/** A second rule that shows values: its body is a template over `actions.*` and so on. */
export function show(body: string): object {
  return { actions: [{ type: 'custom-response', config: { body, headers: { 'content-type': 'text/plain' } } }] };
}

export function bodyOf(outcome: Outcome): string {
  return outcome.kind === 'respond' ? outcome.body.toString('utf8') : `no response: ${outcome.kind}`;
}
