/** getReqHeader and its kin (traffic-policy.md §7). What is missing is an empty list, or a cookie without a value. */
import { cookieValue, emptyCookie, type CookieJar } from '../variables/cookies.ts';
import {
  queryParameters,
  requestCookieMap,
  requestCookies,
  responseCookieMap,
  responseCookies,
} from '../variables/request.ts';
import { HTTP_PHASES, RESPONSE_PHASE } from '../variables/variable.ts';
import { EMPTY_LIST, Failure, listOfStrings, type Fatal, type Result } from '../value.ts';
import { COOKIE, STRINGS } from '../shapes.ts';
import { define, giving, type FunctionDef } from './definition.ts';

function cookie(jar: CookieJar | Fatal | null, name: string): Result {
  if (jar instanceof Failure) return jar;
  return cookieValue(jar?.get(name)?.[0] ?? emptyCookie(''));
}

export const REQUEST_FUNCTIONS: readonly FunctionDef[] = [
  giving(
    STRINGS,
    define(
      'global',
      'getReqHeader',
      ['string'],
      'list',
      ({ context: { req } }, name) => (req === null ? EMPTY_LIST : listOfStrings(req.headers.getAll(name))),
      HTTP_PHASES,
    ),
  ),
  define(
    'global',
    'hasReqHeader',
    ['string'],
    'bool',
    ({ context: { req } }, name) => req?.headers.has(name) ?? false,
    HTTP_PHASES,
  ),
  giving(
    STRINGS,
    define(
      'global',
      'getQueryParam',
      ['string'],
      'list',
      (scope, name) => {
        const list = queryParameters.get(scope, name);
        return list instanceof Failure && list.absent ? EMPTY_LIST : list;
      },
      HTTP_PHASES,
    ),
  ),
  define('global', 'hasQueryParam', ['string'], 'bool', (scope, name) => queryParameters.has(scope, name), HTTP_PHASES),
  giving(
    COOKIE,
    define(
      'global',
      'getReqCookie',
      ['string'],
      'map',
      (scope, name) => cookie(requestCookies(scope), name),
      HTTP_PHASES,
    ),
  ),
  define('global', 'hasReqCookie', ['string'], 'bool', (scope, name) => requestCookieMap.has(scope, name), HTTP_PHASES),
  giving(
    STRINGS,
    define(
      'global',
      'getResHeader',
      ['string'],
      'list',
      ({ context: { res } }, name) => (res === null ? EMPTY_LIST : listOfStrings(res.headers.getAll(name))),
      RESPONSE_PHASE,
    ),
  ),
  define(
    'global',
    'hasResHeader',
    ['string'],
    'bool',
    ({ context: { res } }, name) => res?.headers.has(name) ?? false,
    RESPONSE_PHASE,
  ),
  giving(
    COOKIE,
    define(
      'global',
      'getResCookie',
      ['string'],
      'map',
      (scope, name) => cookie(responseCookies(scope), name),
      RESPONSE_PHASE,
    ),
  ),
  define(
    'global',
    'hasResCookie',
    ['string'],
    'bool',
    (scope, name) => responseCookieMap.has(scope, name),
    RESPONSE_PHASE,
  ),
];
