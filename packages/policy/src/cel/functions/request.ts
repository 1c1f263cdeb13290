/** getReqHeader and its kin (traffic-policy.md §7). What is missing is an empty list, or a cookie without a value. */
import { cookieValue, emptyCookie, type CookieJar } from '../variables/cookies.ts';
import { requestCookies, responseCookies } from '../variables/request.ts';
import { HTTP_PHASES, RESPONSE_PHASE } from '../variables/variable.ts';
import { EMPTY_LIST, listOfStrings, type Value } from '../value.ts';
import { define, type FunctionDef } from './definition.ts';

function cookie(jar: CookieJar | null, name: string): Value {
  return cookieValue(jar?.get(name)?.[0] ?? emptyCookie(''));
}

export const REQUEST_FUNCTIONS: readonly FunctionDef[] = [
  define(
    'global',
    'getReqHeader',
    ['string'],
    'list',
    ({ context: { req } }, name) => (req === null ? EMPTY_LIST : listOfStrings(req.headers.getAll(name))),
    HTTP_PHASES,
  ),
  define(
    'global',
    'hasReqHeader',
    ['string'],
    'bool',
    ({ context: { req } }, name) => req?.headers.has(name) ?? false,
    HTTP_PHASES,
  ),
  define(
    'global',
    'getQueryParam',
    ['string'],
    'list',
    (scope, name) =>
      scope.context.req === null ? EMPTY_LIST : listOfStrings(scope.parts.query(scope.context.req).get(name) ?? []),
    HTTP_PHASES,
  ),
  define(
    'global',
    'hasQueryParam',
    ['string'],
    'bool',
    (scope, name) => scope.context.req !== null && scope.parts.query(scope.context.req).has(name),
    HTTP_PHASES,
  ),
  define(
    'global',
    'getReqCookie',
    ['string'],
    'map',
    (scope, name) => cookie(requestCookies(scope), name),
    HTTP_PHASES,
  ),
  define(
    'global',
    'hasReqCookie',
    ['string'],
    'bool',
    (scope, name) => requestCookies(scope)?.has(name) === true,
    HTTP_PHASES,
  ),
  define(
    'global',
    'getResHeader',
    ['string'],
    'list',
    ({ context: { res } }, name) => (res === null ? EMPTY_LIST : listOfStrings(res.headers.getAll(name))),
    RESPONSE_PHASE,
  ),
  define(
    'global',
    'hasResHeader',
    ['string'],
    'bool',
    ({ context: { res } }, name) => res?.headers.has(name) ?? false,
    RESPONSE_PHASE,
  ),
  define(
    'global',
    'getResCookie',
    ['string'],
    'map',
    (scope, name) => cookie(responseCookies(scope), name),
    RESPONSE_PHASE,
  ),
  define(
    'global',
    'hasResCookie',
    ['string'],
    'bool',
    (scope, name) => responseCookies(scope)?.has(name) === true,
    RESPONSE_PHASE,
  ),
];
