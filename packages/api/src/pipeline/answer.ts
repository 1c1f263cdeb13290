import type { IncomingMessage } from 'node:http';
import type { Caller, ControlApi, Turns } from '@postern/control';
import { fail } from '@postern/errors';
import type { ClientNeeds } from '../clients.ts';
import type { Answer, Operation } from '../resource/operation.ts';
import { isIdOf, quoted } from '../wire/ids.ts';
import type { Urls } from '../wire/urls.ts';
import { parseBody, parseLoosely, readBody } from './body.ts';
import { readCredential } from './credentials.ts';
import { checkContentType, checkVersion } from './headers.ts';
import { readQuery } from './query.ts';
import type { RateLimiter } from './rate-limit.ts';

export interface PipelineContext {
  readonly control: ControlApi;
  readonly limiter: RateLimiter;
  readonly urls: Urls;
  readonly now: () => number;
  readonly turns: Turns;
  readonly needs: ClientNeeds;
}

/**
 * One call, after the router found its operation (an unknown path or method was answered before). The order is
 * published behaviour (api.md §1): with several things wrong, clients and tests see the first.
 */
export async function answer(
  operation: Operation,
  request: IncomingMessage,
  params: Readonly<Record<string, string>>,
  context: PipelineContext,
): Promise<Answer | null> {
  const { headers } = request;
  const now = context.now();

  // 1. Who is it? First, so that a stranger learns nothing else about the call.
  const { credential, caller } = await whoCalls(request, context.control);
  // 2. How much did this key, and its account, ask already? Needs both; before anything that costs.
  context.limiter.admit(caller, now);
  // 3. In which language does the client speak? Decides what everything after it means.
  checkVersion(headers);
  // 4. and 5. The body, where one is wanted: its type before its text, its text before its fields.
  const body = await bodyOf(operation, request, params);
  // 6. The query string.
  const query = readQuery(rawQuery(request.url ?? ''), operation.query);
  // 7. The handler; an id that can be none of this resource is answered without asking for it.
  checkIds(operation, params);
  // 8. Once more, who is it: a body may have taken its time, and its key may have been deleted meanwhile.
  if (operation.body !== null) await context.control.authenticateApiKey(credential);
  const { urls, needs, turns } = context;
  return operation.handle({ caller, params, body, query, urls, now, needs, turns });
}

async function whoCalls(
  request: IncomingMessage,
  control: ControlApi,
): Promise<{ readonly credential: string; readonly caller: Caller }> {
  try {
    const credential = readCredential(request.headers.authorization);
    return { credential, caller: await control.authenticateApiKey(credential) };
  } catch (error) {
    control.refused(request.socket.remoteAddress ?? '', error);
    throw error;
  }
}

async function bodyOf(
  operation: Operation,
  request: IncomingMessage,
  params: Readonly<Record<string, string>>,
): Promise<unknown> {
  if (operation.body === null) return undefined;
  if (operation.body.loose !== true) checkContentType(request.headers);
  const bytes = await readBody(request);
  if (operation.body.loose === true) return operation.body.read(parseLoosely(bytes));
  return operation.body.read(parseBody(bytes, Object.keys(params)));
}

function rawQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

function checkIds(operation: Operation, params: Readonly<Record<string, string>>): void {
  for (const [name, prefixes] of Object.entries(operation.ids)) {
    const id = params[name] ?? '';
    if (!isIdOf(prefixes, id)) throw fail(222, { id: quoted(id), prefix: prefixes[0] ?? '' });
  }
}
