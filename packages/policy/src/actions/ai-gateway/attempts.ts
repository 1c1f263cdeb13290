/** The requests: model by model, key by key, until somebody answers; within one time, and none of it in secret. */
import type { Readable } from 'node:stream';
import { fail, type PosternError } from '@postern/errors';
import type { PolicyContext } from '../../runtime.ts';
import type { RelayedAnswer, RelayProblem, Relays } from '../../services.ts';
import type { HeaderLine } from '../headers.ts';
import { callUrl } from './providers.ts';
import type { Model, Plan } from './plan.ts';
import { bodyFor, type Fields, type Prompt } from './prompt.ts';
import { nameOf } from './select.ts';

/** Requests for one of a visitor. */
const MOST_ATTEMPTS = 16;
/** Of an answer that is passed over. */
const MOST_EXCERPT = 1024;
const EXCERPT_MS = 1_000;
/** Another key, model or provider may do what this one does not (RFC 9110 §15). */
const FAILOVER: ReadonlySet<number> = new Set([401, 402, 403, 408, 429]);

/** What a visitor's request has come to before anybody is asked. */
export interface Call {
  readonly plan: Plan;
  readonly prompt: Prompt;
  readonly models: readonly { readonly model: Model; readonly keys: readonly string[] }[];
  readonly surface: string;
  /** The visitor's, and the config's. */
  readonly queries: readonly string[];
  readonly headers: readonly HeaderLine[];
  readonly added: Fields;
  /** Somebody reads what failed answers say. */
  readonly excerpts: boolean;
}

export interface Attempt {
  readonly model: Model;
  readonly url: string;
  readonly key: string;
  /** 0 = there was no answer. */
  readonly status: number;
  /** '' = it is the answer. */
  readonly problem: string;
  readonly headMs: number;
  /** How the answer begins that was none; '' where nobody looks. */
  readonly excerpt: string;
}

/** @param attempts is added to */
export async function ask(
  call: Call,
  relays: Relays,
  context: PolicyContext,
  attempts: Attempt[],
): Promise<RelayedAnswer | PosternError> {
  const { total_timeout: totalMs, per_request_timeout: ownMs } = call.plan.config;
  const endsAt = performance.now() + totalMs;
  for (const { model, keys } of call.models) {
    const body = bodyFor(call.prompt, call.added, model, call.surface, call.plan);
    const url = callUrl(model.provider.baseUrl, call.surface, call.queries);
    for (const key of keys) {
      if (attempts.length >= MOST_ATTEMPTS) return fail(3812, { max: MOST_ATTEMPTS, errors: toldOf(attempts) });
      const startedAt = performance.now();
      const left = endsAt - startedAt;
      if (left <= 0) return fail(3810, { seconds: totalMs / 1_000, errors: toldOf(attempts) });
      const answer = await relays.open({
        method: 'POST',
        url,
        headers: headersFor(call, key),
        body,
        timeoutMs: Math.min(left, ownMs),
        silenceMs: totalMs,
        endpointId: context.endpoint.id,
        signal: context.signal,
      });
      const problem = problemOf(answer);
      const status = 'problem' in answer ? 0 : answer.status;
      const headMs = performance.now() - startedAt;
      const excerpt = call.excerpts && problem !== '' && 'body' in answer ? await beginOf(answer.body) : '';
      attempts.push({ model, url, key, status, problem, headMs, excerpt });
      if ('problem' in answer) {
        if (context.signal.aborted) return fail(3807, { errors: toldOf(attempts) });
        if (answer.late && left <= ownMs) return fail(3810, { seconds: totalMs / 1_000, errors: toldOf(attempts) });
        continue;
      }
      if (problem === '') return answer;
      answer.body.destroy();
    }
  }
  return fail(3807, { errors: toldOf(attempts) });
}

/** It is over with it. */
async function beginOf(body: Readable): Promise<string> {
  const late = setTimeout(() => body.destroy(), EXCERPT_MS);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= MOST_EXCERPT) break;
    }
  } catch {
    // What has come of it is shown.
  } finally {
    clearTimeout(late);
    body.destroy();
  }
  return Buffer.concat(parts).toString('utf8', 0, MOST_EXCERPT);
}

function problemOf(answer: RelayedAnswer | RelayProblem): string {
  if ('problem' in answer) return answer.problem;
  return FAILOVER.has(answer.status) || answer.status >= 500 ? `it answered ${answer.status}` : '';
}

function toldOf(attempts: readonly Attempt[]): string {
  return attempts.map(({ model, problem }) => `${nameOf(model)}: ${problem}`).join('; ');
}

function headersFor({ headers, surface }: Call, key: string): Record<string, string> {
  const sent: Record<string, string> = { 'content-type': 'application/json' };
  if (key !== '') {
    // Whose own interface this is, the header too.
    if (surface.startsWith('messages')) sent['x-api-key'] = key;
    else sent['authorization'] = `Bearer ${key}`;
  }
  for (const [name, value] of headers) sent[name] = value;
  return sent;
}
