/** getReqHeader and its kin (traffic-policy.md §7). What is missing is an empty list, or a cookie without a value. */
import { cookieValue, emptyCookie, type CookieJar } from '../variables/cookies.ts';
import {
  queryParameters,
  requestCookieMap,
  requestHeaders,
  responseHeaders,
  requestCookies,
  responseCookieMap,
  responseCookies,
} from '../variables/request.ts';
import { HTTP_PHASES, RESPONSE_PHASE } from '../variables/variable.ts';
import { EMPTY_LIST, Failure, type Fatal, type Result } from '../value.ts';
import { COOKIE, STRINGS } from '../shapes.ts';
import { define, giving, type FunctionDef } from './definition.ts';

function listOrEmpty(list: Result): Result {
  return list instanceof Failure && list.absent ? EMPTY_LIST : list;
}

const NO_COOKIE = cookieValue(emptyCookie(''));

function cookie(jar: CookieJar | Fatal | null, name: string): Result {
  if (jar instanceof Failure) return jar;
  const found = jar?.get(name)?.[0];
  return found === undefined ? NO_COOKIE : cookieValue(found);
}

export const REQUEST_FUNCTIONS: readonly FunctionDef[] = [
  giving(
    STRINGS,
    define(
      'global',
      'getReqHeader',
      ['string'],
      'list',
      (scope, name) => listOrEmpty(requestHeaders.get(scope, name)),
      HTTP_PHASES,
    ),
  ),
  define('global', 'hasReqHeader', ['string'], 'bool', (scope, name) => requestHeaders.has(scope, name), HTTP_PHASES),
  giving(
    STRINGS,
    define(
      'global',
      'getQueryParam',
      ['string'],
      'list',
      (scope, name) => listOrEmpty(queryParameters.get(scope, name)),
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
      (scope, name) => listOrEmpty(responseHeaders.get(scope, name)),
      RESPONSE_PHASE,
    ),
  ),
  define(
    'global',
    'hasResHeader',
    ['string'],
    'bool',
    (scope, name) => responseHeaders.has(scope, name),
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
