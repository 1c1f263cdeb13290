import type { BackendModule, Caller } from '@postern/control';
import { fail } from '@postern/errors';
import { z } from 'zod';
import { fields, mapped, type BodyRule, type JsonObject } from '../pipeline/body.ts';
import { NO_QUERY } from '../pipeline/query.ts';
import { NO_CONTENT, ok, type Call, type Method, type Operation } from '../resource/operation.ts';
import type { Urls } from '../wire/urls.ts';
import type { WireObject } from '../wire/values.ts';

/**
 * Modules of the legacy edges, by the kind of thing that carries them (api-contract: edges/*). `backend` is served;
 * the others are refused by name (90021) in bodies and on their own paths, and null in answers.
 */
export const OTHER_MODULES = {
  https: ['mutual_tls', 'tls_termination'],
  tls: ['ip_restriction', 'mutual_tls', 'tls_termination', 'policy', 'traffic_policy'],
  tcp: ['ip_restriction', 'policy', 'traffic_policy'],
  route: [
    'ip_restriction',
    'circuit_breaker',
    'compression',
    'request_headers',
    'response_headers',
    'webhook_verification',
    'oauth',
    'saml',
    'oidc',
    'websocket_tcp_converter',
    'user_agent_filter',
    'policy',
    'traffic_policy',
  ],
} as const;

const BACKEND_SHAPE = { enabled: z.boolean().optional(), backend_id: z.string() };

/** The `backend` member of an edge's or route's body. */
export const BACKEND_MEMBER = z
  .strictObject(BACKEND_SHAPE)
  .transform(({ enabled, backend_id }): BackendModule => ({ enabled: enabled ?? true, backendId: backend_id }))
  .optional();

/** The body of PUT …/backend: the module itself, or wrapped in `module` as npm's client sends it. */
const BACKEND_BODY: BodyRule<BackendModule> = unwrapped(
  mapped(fields(BACKEND_SHAPE), ({ enabled, backendId }) => ({ enabled: enabled ?? true, backendId })),
);

function unwrapped<Body>(rule: BodyRule<Body>): BodyRule<Body> {
  return {
    read(input) {
      const { module } = input;
      return rule.read(Object.keys(input).length === 1 && isObject(module) ? module : input);
    },
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A body rule that refuses the named modules before it looks at anything else. */
export function refusing<Body>(modules: readonly string[], rule: BodyRule<Body>): BodyRule<Body> {
  return {
    read(input) {
      const module = modules.find((name) => Object.hasOwn(input, name));
      if (module !== undefined) throw fail(90021, { module });
      return rule.read(input);
    },
  };
}

export function renderBackend(backend: BackendModule | null, urls: Urls): WireObject | null {
  if (backend === null) return null;
  return { enabled: backend.enabled, backend: urls.ref('/backends/tunnel_group', backend.backendId) };
}

/** null for every module that is not served. */
export function nullModules(modules: readonly string[]): WireObject {
  return Object.fromEntries(modules.map((name) => [name, null]));
}

export interface BackendPlace {
  /** e.g. `/edges/tls/:id`. */
  readonly path: string;
  readonly ids: Operation['ids'];
  /** undefined = no such edge or route. */
  read(caller: Caller, call: Call): Promise<BackendModule | null | undefined>;
  /** undefined = no such edge or route; null as `backend` removes the module. */
  write(caller: Caller, call: Call, backend: BackendModule | null): Promise<BackendModule | null | undefined>;
}

/** GET, PUT and DELETE of the backend module at its own path. */
export function backendModule(place: BackendPlace): Operation[] {
  const { ids } = place;
  const path = `${place.path}/backend`;
  const replace: Operation<BackendModule> = {
    method: 'PUT',
    path,
    ids,
    query: NO_QUERY,
    body: BACKEND_BODY,
    async handle(call) {
      const body = renderBackend((await place.write(call.caller, call, call.body)) ?? null, call.urls);
      return body === null ? null : ok(body);
    },
  };
  return [
    {
      method: 'GET',
      path,
      ids,
      query: NO_QUERY,
      body: null,
      async handle(call) {
        const body = renderBackend((await place.read(call.caller, call)) ?? null, call.urls);
        return body === null ? null : ok(body);
      },
    },
    replace,
    {
      method: 'DELETE',
      path,
      ids,
      query: NO_QUERY,
      body: null,
      async handle(call) {
        const present = (await place.read(call.caller, call)) ?? null;
        if (present === null) return null;
        return (await place.write(call.caller, call, null)) === undefined ? null : NO_CONTENT;
      },
    },
  ];
}

/** The paths of the other modules, each answering 90021. */
export function refusedModules(path: string, ids: Operation['ids'], modules: readonly string[]): Operation[] {
  const methods: readonly Method[] = ['GET', 'PUT', 'DELETE'];
  return modules.flatMap((module) =>
    methods.map((method): Operation => ({
      method,
      path: `${path}/${module}`,
      ids,
      query: NO_QUERY,
      body: null,
      handle: () => Promise.reject(fail(90021, { module })),
    })),
  );
}
