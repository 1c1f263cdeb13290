import type { Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Replays } from '../replay/replay.ts';
import { ReplayRefused } from '../replay/replay-request.ts';
import { requestShape } from '../view/classic.ts';
import { FilterProblem, type Filter, filterOf, search } from '../view/search.ts';
import type { ReplayEdits } from '../view/shapes.ts';
import { ApiProblem, type Call, limitOf, readObject, sendJson, sendNothing, sendParts } from './answer.ts';
import type { Route } from './route.ts';

/** What one call answers: each may be half a megabyte of text. */
const STANDARD = 100;
const MOST = 1_000;

/** `/api/requests/http`: what came, newest first, and sending it again. */
export function requestRoutes(recorder: Recorder, replays: Replays): readonly Route[] {
  return [
    {
      path: '/api/requests/http',
      GET: async ({ response, query }) => {
        const found = await searched(recorder, query, STANDARD, MOST);
        response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        await sendParts(response, requestParts(recorder, found));
      },
      POST: async (call) => {
        const { id, tunnel_name: tunnel } = await readObject(call.request);
        if (typeof id !== 'string') throw new ApiProblem(400, '"id" is needed: that of the request to send again');
        const name = textOrNone('tunnel_name', tunnel);
        replay(replays, exchangeOf(recorder, id), name === undefined ? {} : { tunnel_name: name });
        sendNothing(call.response);
      },
      DELETE: ({ response }) => {
        recorder.clear();
        sendNothing(response);
      },
    },
    {
      path: '/api/requests/http/:id',
      GET: ({ response, params: [id = ''] }) =>
        sendJson(response, 200, requestShape(recorder, exchangeOf(recorder, id))),
    },
    {
      path: '/api/requests/http/:id/replay',
      POST: async (call: Call) => {
        const edits = editsOf(await readObject(call.request));
        const made = replay(replays, exchangeOf(recorder, call.params[0] ?? ''), edits);
        const id = recorder.ids.idOf(made.number);
        sendJson(call.response, 201, { id, uri: `/api/requests/http/${id}` });
      },
    },
  ];
}

/** @throws ApiProblem */
export function exchangeOf(recorder: Recorder, id: string): Exchange {
  const exchange = recorder.find(id);
  if (exchange === undefined) throw new ApiProblem(404, 'not found', `there is no request "${id}"`);
  return exchange;
}

/** @throws ApiProblem */
export async function searched(
  recorder: Recorder,
  query: URLSearchParams,
  standard: number,
  most: number,
): Promise<readonly number[]> {
  let filter: Filter;
  try {
    filter = filterOf(query);
  } catch (error) {
    if (error instanceof FilterProblem) throw new ApiProblem(400, error.message);
    throw error;
  }
  const before = recorder.ids.numberOf(query.get('before') ?? '');
  return search(recorder, filter, limitOf(query, standard, most), before);
}

function* requestParts(recorder: Recorder, found: readonly number[]): Generator<string> {
  yield '{"uri":"/api/requests/http","requests":[';
  let first = true;
  for (const number of found) {
    const exchange = recorder.numbered(number);
    if (exchange === undefined) continue;
    yield `${first ? '' : ','}${JSON.stringify(requestShape(recorder, exchange))}`;
    first = false;
  }
  yield ']}';
}

function replay(replays: Replays, exchange: Exchange, edits: ReplayEdits): Exchange {
  try {
    return replays.send(exchange, edits);
  } catch (error) {
    if (error instanceof ReplayRefused) throw new ApiProblem(400, 'the request cannot be sent again', error.message);
    throw error;
  }
}

/** @throws ApiProblem for fields that are not there, or of another kind */
function editsOf(given: Readonly<Record<string, unknown>>): ReplayEdits {
  const known = ['tunnel_name', 'method', 'path', 'headers', 'body', 'body_base64'];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ApiProblem(400, `"${unknown}" is no field of a replay`);
  const texts = ['tunnel_name', 'method', 'path', 'body', 'body_base64'].flatMap((name) => {
    const text = textOrNone(name, given[name]);
    return text === undefined ? [] : [[name, text] as const];
  });
  const { headers } = given;
  if (headers !== undefined && !isPairs(headers))
    throw new ApiProblem(400, '"headers" is a list of pairs: [["name", "value"]]');
  return { ...Object.fromEntries(texts), ...(headers === undefined ? {} : { headers }) };
}

function isPairs(value: unknown): value is [string, string][] {
  return (
    Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'))
  );
}

function textOrNone(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new ApiProblem(400, `"${name}" must be a text`);
}
