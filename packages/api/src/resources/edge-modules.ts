import type { BackendModule, Caller } from '@postern/control';
import { fail } from '@postern/errors';
import { BACKEND_FIELDS } from '@postern/resources';
import type { BodyRule, JsonObject } from '../pipeline/body.ts';
import { NO_QUERY } from '../pipeline/query.ts';
import { NO_CONTENT, ok, type Call, type Method, type Operation } from '../resource/operation.ts';
import { bodyRuleOf } from '../resource/body-rule.ts';
import { fieldsRenderer } from '../resource/render.ts';

/** The body of PUT …/backend: the module itself, or wrapped in `module` as npm's client sends it. */
const BACKEND_BODY: BodyRule<BackendModule> = unwrapped(bodyRuleOf(BACKEND_FIELDS, 'create'));
const renderBackend = fieldsRenderer(BACKEND_FIELDS);

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
      const backend = (await place.write(call.caller, call, call.body)) ?? null;
      return backend === null ? null : ok(renderBackend(backend, call.urls));
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
        const backend = (await place.read(call.caller, call)) ?? null;
        return backend === null ? null : ok(renderBackend(backend, call.urls));
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
