/** `req.*` and `res.*` (traffic-policy.md §6), read from the live head at the moment of asking. */
import { celMap, celList } from '@bufbuild/cel';
import type { PhaseName, RequestView, ResponseView } from '../../runtime.ts';
import { NO_REQUEST, NO_RESPONSE, type Eval, type Scope } from '../scope.ts';
import { COOKIE, MULTI_MAP, STRING, type Shape } from '../shapes.ts';
import { Failure, listOfStrings, timestamp, type Fatal, type Result, type StaticType, type Value } from '../value.ts';
import { mediaParameters, mediaType, tokens } from './content-type.ts';
import { cookieValue, type CookieJar } from './cookies.ts';
import { headerList, headerMap, NO_SUCH_KEY } from './header-map.ts';
import type { UserAgentFacts } from './user-agent.ts';
import { hostOf, queryOf, type UrlParts } from './request-parts.ts';
import { TOO_MANY_STEPS } from '../limits.ts';
import { spend } from '../work.ts';
import { HTTP_PHASES, insideOf, RESPONSE_PHASE, type Keyed, type Variable } from './variable.ts';

/** Fields of a head are looked for; times and lists are made anew at each question. */
function paid(scope: Scope, view: RequestView | ResponseView, type: StaticType): boolean {
  return spend(scope, (type === 'string' || type === 'int' ? 3 : 300) + view.headers.size / 8);
}

function onRequest(name: string, type: StaticType, read: (req: RequestView, scope: Scope) => Result): Variable {
  const get: Eval = (scope) => {
    const req = scope.context.req;
    return req === null ? NO_REQUEST : paid(scope, req, type) ? read(req, scope) : TOO_MANY_STEPS;
  };
  return { name, type, phases: HTTP_PHASES, get, ...insideOf(type) };
}

function onResponse(name: string, type: StaticType, read: (res: ResponseView, scope: Scope) => Result): Variable {
  const get: Eval = (scope) => {
    const res = scope.context.res;
    return res === null ? NO_RESPONSE : paid(scope, res, type) ? read(res, scope) : TOO_MANY_STEPS;
  };
  return { name, type, phases: RESPONSE_PHASE, get, ...insideOf(type) };
}

const url = (name: string, type: StaticType, read: (parts: UrlParts) => Value): Variable =>
  onRequest(`req.url${name}`, type, (req, scope) => read(scope.parts.url(req)));

function agent(name: string, type: StaticType, read: (facts: UserAgentFacts) => Value): Variable {
  return onRequest(`req.user_agent.${name}`, type, (req, scope) =>
    read(scope.parts.userAgent(header(req, 'user-agent'), scope)),
  );
}

/** A cookie as an object of ten fields. */
const COOKIE_PRICE = 200;
const COOKIES: Shape = { type: 'map', key: STRING, item: { type: 'list', item: COOKIE } };

const EMPTY_MAP: Value = celMap(new Map<string, string>());
const header = (view: RequestView | ResponseView, name: string): string => view.headers.get(name) ?? '';

function hasHeader(view: RequestView | ResponseView | null, key: string, scope: Scope): boolean {
  return view !== null && spend(scope, 5 + view.headers.size / 2) && view.headers.has(key);
}

export const requestHeaders: Keyed = {
  get: (scope, key) => (scope.context.req === null ? NO_REQUEST : headerList(scope.context.req.headers, key, scope)),
  has: (scope, key) => hasHeader(scope.context.req, key, scope),
};

export const responseHeaders: Keyed = {
  get: (scope, key) => (scope.context.res === null ? NO_RESPONSE : headerList(scope.context.res.headers, key, scope)),
  has: (scope, key) => hasHeader(scope.context.res, key, scope),
};

export const queryParameters: Keyed = {
  get(scope, key) {
    if (scope.context.req === null) return NO_REQUEST;
    const query = scope.parts.query(scope.context.req);
    if (query instanceof Failure) return query;
    const list = query.get(key);
    return list === undefined ? NO_SUCH_KEY : listOfStrings(list);
  },
  has(scope, key) {
    if (scope.context.req === null) return false;
    const query = scope.parts.query(scope.context.req);
    return query instanceof Failure ? query : query.has(key);
  },
};

export function requestCookies(scope: Scope): CookieJar | Fatal | null {
  return scope.context.req === null ? null : scope.parts.cookies(scope.context.req, scope);
}

export function responseCookies(scope: Scope): CookieJar | Fatal | null {
  return scope.context.res === null ? null : scope.parts.setCookies(scope.context.res, scope);
}

function cookieAccess(jarOf: (scope: Scope) => CookieJar | Fatal | null): Keyed {
  return {
    get(scope, key) {
      const jar = jarOf(scope);
      if (jar instanceof Failure) return jar;
      const list = jar?.get(key);
      if (list === undefined) return NO_SUCH_KEY;
      return spend(scope, list.length * COOKIE_PRICE) ? celList(list.map(cookieValue)) : TOO_MANY_STEPS;
    },
    has(scope, key) {
      const jar = jarOf(scope);
      return jar instanceof Failure ? jar : jar?.has(key) === true;
    },
  };
}

export const requestCookieMap = cookieAccess(requestCookies);
export const responseCookieMap = cookieAccess(responseCookies);

function jarMap(jar: CookieJar | Fatal | null, scope: Scope): Result {
  if (jar === null) return NO_REQUEST;
  if (jar instanceof Failure) return jar;
  let cookies = 0;
  for (const list of jar.values()) cookies += list.length;
  if (!spend(scope, cookies * COOKIE_PRICE)) return TOO_MANY_STEPS;
  return celMap(new Map([...jar].map(([name, list]) => [name, celList(list.map(cookieValue))])));
}

function map(name: string, phases: readonly PhaseName[], shape: Shape, keyed: Keyed, get: Eval): Variable {
  return { name, type: 'map', shape, phases, keyed, get };
}

const queryMap = (query: Map<string, string[]>): Value =>
  celMap(new Map([...query].map(([name, list]) => [name, listOfStrings(list)])));

export const REQUEST_VARIABLES: readonly Variable[] = [
  onRequest('req.method', 'string', (req) => req.method),
  onRequest('req.version', 'string', (req) => req.version),
  onRequest('req.host', 'string', (req) => hostOf(req.authority)),
  onRequest('req.location', 'string', (req) => header(req, 'location')),
  onRequest('req.content_length', 'int', (req) => BigInt(Math.max(0, req.contentLength))),
  onRequest('req.content_encoding', 'list', (req) => tokens(header(req, 'content-encoding'))),
  onRequest('req.content_type', 'string', (req) => mediaType(header(req, 'content-type'))),
  onRequest('req.content_type.raw', 'string', (req) => header(req, 'content-type')),
  onRequest('req.content_type.parameters', 'map', (req, scope) => mediaParameters(header(req, 'content-type'), scope)),
  onRequest('req.user_agent', 'string', (req) => header(req, 'user-agent')),
  agent('name', 'string', (facts) => facts.name),
  agent('version', 'string', (facts) => facts.version),
  agent('os', 'string', (facts) => facts.os),
  agent('os_version', 'string', (facts) => facts.osVersion),
  agent('device', 'string', (facts) => facts.device),
  agent('url', 'string', (facts) => facts.url),
  agent('is_mobile', 'bool', (facts) => facts.isMobile),
  agent('is_tablet', 'bool', (facts) => facts.isTablet),
  agent('is_desktop', 'bool', (facts) => facts.isDesktop),
  agent('is_bot', 'bool', (facts) => facts.isBot),
  onRequest('req.ts.header_received', 'timestamp', (req) => timestamp(req.headerReceivedAt)),
  onRequest('req.ts.body_received', 'timestamp', (req) => timestamp(req.bodyReceivedAt)),
  map('req.headers', HTTP_PHASES, MULTI_MAP, requestHeaders, (scope) =>
    scope.context.req === null ? NO_REQUEST : headerMap(scope.context.req.headers, scope),
  ),
  map('req.cookies', HTTP_PHASES, COOKIES, requestCookieMap, (scope) => jarMap(requestCookies(scope), scope)),
  map('req.url.query_params', HTTP_PHASES, MULTI_MAP, queryParameters, (scope) => {
    if (scope.context.req === null) return NO_REQUEST;
    const query = scope.parts.query(scope.context.req);
    if (query instanceof Failure) return query;
    return spend(scope, query.size * 30) ? queryMap(query) : TOO_MANY_STEPS;
  }),
  // Trailers come after the last phase that could read them.
  { ...onRequest('req.trailers', 'map', () => EMPTY_MAP), shape: MULTI_MAP },
  onRequest('req.url.path', 'string', (req, scope) => scope.parts.path(req.target)),
  onRequest('req.url.query', 'string', (req) => queryOf(req.target)),
  onRequest('req.url.scheme', 'string', (req) => req.scheme),
  onRequest('req.url.host', 'string', (req) => hostOf(req.authority)),
  onRequest('req.url.authority', 'string', (req) => req.authority),
  onRequest('req.url.uri', 'string', (req) => req.target),
  url('', 'string', (parts) => parts.url),
  url('.raw', 'string', (parts) => parts.raw),
  url('.raw_path', 'string', (parts) => parts.rawPath),
  url('.user_password', 'string', (parts) => parts.userPassword),
  url('.port', 'int', (parts) => BigInt(parts.port)),
];

export const RESPONSE_VARIABLES: readonly Variable[] = [
  onResponse('res.status_code', 'int', (res) => BigInt(res.statusCode)),
  onResponse('res.location', 'string', (res) => header(res, 'location')),
  onResponse('res.content_length', 'int', (res) => BigInt(Math.max(0, res.contentLength))),
  onResponse('res.content_encoding', 'list', (res) => tokens(header(res, 'content-encoding'))),
  onResponse('res.content_type', 'string', (res) => mediaType(header(res, 'content-type'))),
  onResponse('res.content_type.raw', 'string', (res) => header(res, 'content-type')),
  onResponse('res.content_type.parameters', 'map', (res, scope) => mediaParameters(header(res, 'content-type'), scope)),
  { ...onResponse('res.trailers', 'map', () => EMPTY_MAP), shape: MULTI_MAP },
  map('res.headers', RESPONSE_PHASE, MULTI_MAP, responseHeaders, (scope) =>
    scope.context.res === null ? NO_RESPONSE : headerMap(scope.context.res.headers, scope),
  ),
  map('res.cookies', RESPONSE_PHASE, COOKIES, responseCookieMap, (scope) => jarMap(responseCookies(scope), scope)),
];
