import type { IncomingMessage, ServerResponse } from 'node:http';

/** Most of a body: an edited request with it. */
const MOST_BODY = 8 * 1024 * 1024;

/** What a call ends with instead of an answer; told in the v3 agent's envelope. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: number;
  readonly detail: string;

  constructor(status: number, message: string, detail = message, code = 100) {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** One call. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What stands for the parts of the route that vary, decoded. */
  readonly params: readonly string[];
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  // Compact: scripts look for `"public_url":"https://` in it.
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

export function sendNothing(response: ServerResponse): void {
  response.writeHead(204, { 'cache-control': 'no-store' }).end();
}

export function sendProblem(response: ServerResponse, problem: ApiProblem): void {
  if (response.headersSent) return void response.destroy();
  sendJson(response, problem.status, {
    error_code: problem.code,
    status_code: problem.status,
    msg: problem.message,
    details: { err: problem.detail },
  });
}

/** @throws ApiProblem unless the body is a JSON object that says so: a form of another page cannot */
export async function readObject(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new ApiProblem(415, 'the content type must be application/json');
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    if (!(part instanceof Buffer)) continue;
    length += part.length;
    if (length > MOST_BODY) throw new ApiProblem(413, `a body may have ${MOST_BODY} bytes`);
    parts.push(part);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (cause) {
    throw new ApiProblem(400, 'the body is not valid JSON', String(cause));
  }
  if (!isObject(value)) throw new ApiProblem(400, 'the body is not a JSON object');
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws ApiProblem */
export function limitOf(query: URLSearchParams, standard: number, most: number): number {
  const text = query.get('limit') ?? '';
  if (text === '') return standard;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) throw new ApiProblem(400, `limit: "${text}" is no number from 1 on`);
  return Math.min(most, Number(text));
}

/** Writes one part after the other, as fast as the reader takes them. */
export async function sendParts(response: ServerResponse, parts: Iterable<string>): Promise<void> {
  for (const part of parts) {
    if (response.destroyed) return;
    if (response.write(part)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.once('drain', go).once('close', go);
    });
  }
  response.end();
}
