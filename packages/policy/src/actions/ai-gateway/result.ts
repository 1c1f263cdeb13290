/** What the action leaves at `actions.ngrok.ai_gateway`. Keys are shown by their ends alone. */
import type { PosternError } from '@postern/errors';
import type { RequestView } from '../../runtime.ts';
import { fromPlain, type Value } from '../../cel/value.ts';
import type { Attempt } from './attempts.ts';
import type { Prompt } from './prompt.ts';
import { nameOf, type Selection } from './select.ts';

export interface Outcome {
  readonly req: RequestView;
  readonly prompt: Prompt | null;
  readonly selection: Selection | null;
  readonly inputTokens: number;
  readonly attempts: readonly Attempt[];
  /** null = somebody has answered. */
  readonly error: PosternError | null;
}

export function resultOf({ req, prompt, selection, inputTokens, attempts, error }: Outcome): Value {
  const tried = triedOf(attempts);
  const last = tried.at(-1);
  return fromPlain({
    status: error === null ? 'success' : 'error',
    ...(error === null ? {} : { error: { code: error.code, message: error.message } }),
    client: {
      method: req.method,
      path: withoutQuery(req.target),
      user_agent: req.headers.get('user-agent') ?? '',
      model: prompt?.model ?? '',
      models: prompt?.models ?? [],
      api_key_hash: shortened(keyOfVisitor(req)),
      rejected_models: selection?.rejected ?? [],
    },
    input_ngrok_tokens: inputTokens,
    model_selection: (selection?.steps ?? []).map(({ strategy, returned, kept }) => ({
      strategy,
      error: '',
      candidates_returned: returned,
      candidates_after_allowed_filter: returned,
      candidates_after_client_filter: kept,
      models_to_try: kept,
    })),
    models_tried: tried.map(({ of: { model }, requests }) => ({
      model: model.id,
      provider: model.provider.id,
      author: model.author,
      requests_made: requests.map(({ url, key, status, problem, headMs, excerpt }) => ({
        status: problem === '' ? 'success' : 'error',
        error: problem,
        request: { url: withoutQuery(url), api_key: shortened(key) },
        response: { status_code: status, body_on_error: excerpt },
        upstream_latency: { time_to_first_byte_ms: Math.round(headMs) },
      })),
    })),
    ...(error !== null || last === undefined
      ? {}
      : {
          success: {
            model_index: tried.length - 1,
            request_index: last.requests.length - 1,
            model: last.of.model.id,
            provider: last.of.model.provider.id,
            author: last.of.model.author,
          },
        }),
  });
}

function triedOf(attempts: readonly Attempt[]): { readonly of: Attempt; readonly requests: Attempt[] }[] {
  const tried: { of: Attempt; requests: Attempt[] }[] = [];
  for (const attempt of attempts) {
    const last = tried.at(-1);
    if (last !== undefined && nameOf(last.of.model) === nameOf(attempt.model)) last.requests.push(attempt);
    else tried.push({ of: attempt, requests: [attempt] });
  }
  return tried;
}

/** Some providers take their key in it. */
function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

export function keyOfVisitor({ headers }: RequestView): string {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  return bearer ?? headers.get('x-api-key') ?? '';
}

/** Enough to know it by for whoever has it, and of short ones nothing. */
function shortened(key: string): string {
  if (key === '') return '';
  return key.length < 24 ? '...' : `${key.slice(0, 4)}...${key.slice(-4)}`;
}
