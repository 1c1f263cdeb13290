import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ControlApi, Turns } from '@postern/control';
import { fail } from '@postern/errors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { needsOf } from './clients.ts';
import { createListeners, type AnyServer } from './listeners.ts';
import { createOpenApi } from './openapi.ts';
import { answer, type PipelineContext } from './pipeline/answer.ts';
import { createCors, type Cors } from './pipeline/cors.ts';
import { asPosternError, errorAnswer, resourceNotFound, routeNotFound } from './pipeline/envelope.ts';
import { createRateLimiter, type RateLimitOptions } from './pipeline/rate-limit.ts';
import type { Operation } from './resource/operation.ts';
import { operationsOf } from './resources/index.ts';
import { quoted } from './wire/ids.ts';
import { createUrls } from './wire/urls.ts';

export interface ApiLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ApiOptions {
  readonly control: ControlApi;
  /** What clients reach this API by, e.g. `http://127.0.0.1:4400`; asked at each use, for ports known late. */
  readonly publicBaseUrl: () => string;
  /** Of this server, for `GET /`. */
  readonly version: string;
  readonly clock: { now(): number };
  /** Makes `op_<ksuid>` ids, one per call. */
  readonly operationId: () => string;
  readonly rateLimit?: RateLimitOptions;
  /** Exact origins of web pages that may call, or '*' for any page, without credentials; none by default. */
  readonly corsOrigins?: readonly string[];
  readonly log: ApiLog;
  /** false = calls are answered 503 (90072) until the server is ready. */
  readonly ready?: () => boolean;
  /** How long {@link Api.close} waits for calls in flight. */
  readonly closeGraceMs?: number;
}

export interface Api {
  /** For tests (`inject`) and for whoever adds routes of its own before the first call. */
  readonly app: FastifyInstance;
  /** The API as a plain request listener. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Serves on one address more: `start` makes the server that it gets listen there. Rejects as `start` does, e.g. with
   * EADDRINUSE.
   */
  listen(start: (server: Server) => Promise<void>): Promise<AddressInfo>;
  /** Serves the API on a server that someone else made (for TLS, say) and binds; `close` closes it too. */
  attach(server: AnyServer): void;
  close(): Promise<void>;
}

export const DEFAULT_RATE_LIMIT: RateLimitOptions = { perMinute: 20_000 };
const DEFAULT_GRACE_MS = 10_000;
const MAX_PARAM_LENGTH = 4_096;
const BODY_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const JSON_TYPE = 'application/json; charset=utf-8';

/** The REST surface over `control`. Fastify routes and hooks; what a call must pass is `pipeline/answer.ts`. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const cors = createCors(options.corsOrigins ?? []);
  const context: Omit<PipelineContext, 'needs'> = {
    control: options.control,
    limiter: createRateLimiter(options.rateLimit ?? DEFAULT_RATE_LIMIT),
    urls: createUrls(options.publicBaseUrl),
    now: () => options.clock.now(),
    turns: new Turns(),
  };
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    genReqId: options.operationId,
    return503OnClosing: false,
    routerOptions: {
      maxParamLength: MAX_PARAM_LENGTH,
      // The query is read by the pipeline, in its turn and from the raw text.
      querystringParser: () => ({}),
    },
    frameworkErrors: (_error, request, reply) => {
      dress(request, reply, cors, listeners.closing);
      sendError(request, reply, fail(90075, { path: quoted(pathOf(request.raw)) }), options.log);
    },
  });
  const listeners = createListeners({
    handler: (request, response) => app.routing(request, response),
    operationId: options.operationId,
  });
  // Bodies are read by the pipeline: after authentication, and only where one is wanted. To fastify no method has one.
  for (const method of BODY_METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });

  app.addHook('onRequest', (request, reply, done) => {
    dress(request, reply, cors, listeners.closing);
    if (request.is404) sendPlain(reply, 404, notServed(request.raw));
    else done();
  });
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, options.log));
  app.addHook('onResponse', (request, reply, done) => {
    options.log.debug(
      {
        operation_id: request.id,
        method: request.method,
        path: pathOf(request.raw),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'API call',
    );
    done();
  });

  const operations = operationsOf(options.control, options.version);
  for (const operation of operations) {
    app.route<{ Params: Readonly<Record<string, string>> }>({
      method: operation.method,
      url: operation.path,
      handler: (request, reply) => serve(operation, request, request.params, reply),
    });
  }
  const openApi = createOpenApi(options.publicBaseUrl, options.version);
  app.get('/openapi.json', (_request, reply) => sendPlain(reply, 200, openApi()));
  for (const [path, methods] of methodsByPath(operations)) {
    app.options(path, (request, reply) => {
      const headers = cors.preflight(request.headers, methods);
      if (headers === null) return sendPlain(reply, 404, notServed(request.raw));
      return reply.code(204).headers(headers).send();
    });
  }
  await app.ready();

  async function serve(
    operation: Operation,
    request: Pick<FastifyRequest, 'id' | 'raw' | 'headers'>,
    params: Readonly<Record<string, string>>,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    // The router takes "/endpoints/" for an id that is empty; it is a path that is not served.
    if (Object.values(params).includes('')) return sendPlain(reply, 404, notServed(request.raw));
    if (options.ready?.() === false) throw fail(90072, {}, { details: { retry_after: '1' } });
    const needs = needsOf(request.headers['user-agent']);
    const result = await answer(operation, request.raw, params, { ...context, needs });
    if (result === null) return sendPlain(reply, 404, resourceNotFound(request.id));
    if (result.body !== null) return sendPlain(reply, result.status, JSON.stringify(result.body));
    const wantsBody = needs.bodies === 'all' || (needs.bodies === 'actions' && operation.method === 'POST');
    if (wantsBody) return sendPlain(reply, 200, '{}');
    return reply.code(result.status).send();
  }

  return {
    app,
    handler: (request, response) => app.routing(request, response),
    listen: (start) => listeners.listen(start),
    attach: (server) => listeners.attach(server),
    async close() {
      await listeners.close(options.closeGraceMs ?? DEFAULT_GRACE_MS);
      await app.close();
    },
  };
}

/** Headers that every answer has. */
function dress(request: FastifyRequest, reply: FastifyReply, cors: Cors, closing: boolean): void {
  reply.header('ngrok-operation-id', request.id);
  // Answers carry tokens and live state.
  reply.header('cache-control', 'no-store');
  reply.headers(cors.answer(request.headers));
  if (closing) reply.header('connection', 'close');
}

function sendPlain(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(body);
}

function sendError(request: FastifyRequest, reply: FastifyReply, thrown: unknown, log: ApiLog): FastifyReply {
  const error = asPosternError(thrown);
  if (error.status >= 500) {
    log.error({ operation_id: request.id, path: pathOf(request.raw), code: error.code, err: thrown }, error.title);
  }
  const { status, body, retryAfter } = errorAnswer(error, request.id);
  if (retryAfter !== '') reply.header('retry-after', retryAfter);
  return sendPlain(reply, status, body);
}

function notServed(request: IncomingMessage): string {
  return routeNotFound(request.method ?? '', pathOf(request));
}

function pathOf(request: IncomingMessage): string {
  return quoted((request.url ?? '').split('?', 1)[0] ?? '', 512);
}

function methodsByPath(operations: readonly Operation[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of operations) {
    const known = methods.get(path);
    if (known === undefined) methods.set(path, [method]);
    else known.push(method);
  }
  return methods;
}
