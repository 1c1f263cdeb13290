/** base64, basic_auth, json, queryString and url (traffic-policy.md §7). */
import { celMap, isCelList, type CelInput, type CelMap } from '@bufbuild/cel';
import { libraryOperation } from '../library.ts';
import { TOO_MANY_PAIRS, TOO_MANY_STEPS } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { LIBRARY_CALL, spend } from '../work.ts';
import { decode, parseQuery } from '../variables/request-parts.ts';
import { Failure, isA, listOfStrings, type Result } from '../value.ts';
import { INT, MULTI_MAP, STRING, STRINGS, union, type Shape } from '../shapes.ts';
import { define, giving, type FunctionDef } from './definition.ts';
import { decodeJson, encodeJson, isJson } from './json.ts';

const BAD_BASE64 = new Failure('the text is not base64');
const BAD_URL = new Failure('the text is not a URL');
const BAD_ESCAPE = new Failure('the text has a broken percent escape');

function fromBase64(text: string): Buffer | Failure {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return BAD_BASE64;
  return Buffer.from(text, 'base64');
}

function decodeBase64Text(text: string): Result {
  const bytes = fromBase64(text);
  return bytes instanceof Failure ? bytes : bytes.toString('utf8');
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

/** As Go's QueryEscape: everything but letters, digits and - _ . ~, a space as +. */
function escapeUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function unescapeUrl(text: string): Result {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return BAD_ESCAPE;
  return decode(text.replaceAll('+', ' '));
}

function encodeQuery(map: CelMap, scope: Scope): Result {
  const pairs: string[] = [];
  const keys = [...map.keys()].map(String).toSorted();
  const text = libraryOperation('string(a)');
  for (const key of keys) {
    const value = map.get(key) ?? null;
    for (const item of isCelList(value) ? value : [value]) {
      if (!spend(scope, typeof item === 'string' ? 20 + (key.length + item.length) * 4 : LIBRARY_CALL)) {
        return TOO_MANY_STEPS;
      }
      const shown = typeof item === 'string' ? item : text(item);
      if (shown instanceof Failure) return shown;
      pairs.push(`${escapeUrl(key)}=${escapeUrl(typeof shown === 'string' ? shown : '')}`);
    }
  }
  return pairs.join('&');
}

/** One value for a name given once (documentation compares it with text), a list for more. */
function decodeQuery(text: string): Result {
  const query = parseQuery(text.startsWith('?') ? text.slice(1) : text);
  if (query === null) return TOO_MANY_PAIRS;
  return celMap(
    new Map<string, CelInput>(
      [...query].map(([key, list]) => [key, list.length === 1 ? (list[0] ?? '') : listOfStrings(list)]),
    ),
  );
}

function isQuery(text: string): boolean {
  return text !== '' && !/[\s#]/.test(text) && !/%(?![0-9a-fA-F]{2})/.test(text) && text.includes('=');
}

/** One value for a name given once, a list for more. */
const QUERY: Shape = { type: 'map', key: STRING, item: union([STRING, STRINGS]) };

const URL_PARTS: Shape = {
  type: 'map',
  key: STRING,
  closed: true,
  fields: {
    ...Object.fromEntries(
      ['scheme', 'host', 'authority', 'path', 'raw_path', 'query', 'fragment', 'raw', 'uri', 'user_password'].map(
        (name) => [name, STRING],
      ),
    ),
    port: INT,
    query_params: MULTI_MAP,
  },
};

function parseUrl(text: string): Result {
  if (!isUrl(text)) return BAD_URL;
  const url = new URL(text);
  const query = parseQuery(url.search.slice(1));
  if (query === null) return TOO_MANY_PAIRS;
  const scheme = url.protocol.slice(0, -1);
  const fallback = scheme === 'https' ? 443 : scheme === 'http' ? 80 : 0;
  const fields: [string, CelInput][] = [
    ['scheme', scheme],
    ['host', url.hostname],
    ['port', BigInt(url.port === '' ? fallback : url.port)],
    ['authority', url.host],
    ['path', decode(url.pathname)],
    ['raw_path', url.pathname],
    ['query', url.search.slice(1)],
    ['query_params', celMap(new Map([...query].map(([key, list]) => [key, listOfStrings(list)])))],
    ['fragment', url.hash.slice(1)],
    ['raw', text],
    ['uri', `${url.pathname}${url.search}`],
    ['user_password', url.password === '' ? url.username : `${url.username}:${url.password}`],
  ];
  return celMap(new Map(fields));
}

function isUrl(text: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(text) && URL.canParse(text);
}

export const ENCODING_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'base64.decode', ['string'], 'bytes', (_, text) => fromBase64(text)),
  define('global', 'base64.encode', ['bytes'], 'string', (_, bytes) => Buffer.from(bytes).toString('base64')),
  define('method', 'encodeBase64', ['string'], 'string', (_, text) => Buffer.from(text, 'utf8').toString('base64')),
  define('method', 'decodeBase64', ['string'], 'string', (_, text) => decodeBase64Text(text)),
  define('global', 'basic_auth.encode', ['string', 'string'], 'string', (_, user, password) => basic(user, password)),
  define('global', 'json.decode', ['string'], 'dyn', (_, text) => decodeJson(text)),
  define('global', 'json.encode', ['dyn'], 'string', (scope, value) => encodeJson(value, scope)),
  define('method', 'encodeJson', ['dyn'], 'string', (scope, value) =>
    isA(value, 'list') || isA(value, 'map')
      ? encodeJson(value, scope)
      : new Failure('encodeJson() needs a list or a map'),
  ),
  define('method', 'decodeJson', ['string'], 'dyn', (_, text) => decodeJson(text)),
  define('method', 'isJson', ['string'], 'bool', (_, text) => isJson(text)),
  giving(
    QUERY,
    define('global', 'queryString.decode', ['string'], 'map', (_, text) => decodeQuery(text)),
  ),
  define('global', 'queryString.encode', ['map'], 'string', (scope, map) => encodeQuery(map, scope)),
  define('method', 'encodeQueryString', ['map'], 'string', (scope, map) => encodeQuery(map, scope)),
  giving(
    QUERY,
    define('method', 'decodeQueryString', ['string'], 'map', (_, text) => decodeQuery(text)),
  ),
  define('method', 'isQueryString', ['string'], 'bool', (_, text) => isQuery(text)),
  define('global', 'url.escape', ['string'], 'string', (_, text) => escapeUrl(text)),
  define('global', 'url.unescape', ['string'], 'string', (_, text) => unescapeUrl(text)),
  giving(
    URL_PARTS,
    define('global', 'url.parse', ['string'], 'map', (_, text) => parseUrl(text)),
  ),
  define('method', 'escapeUrl', ['string'], 'string', (_, text) => escapeUrl(text)),
  define('method', 'unescapeUrl', ['string'], 'string', (_, text) => unescapeUrl(text)),
  giving(
    URL_PARTS,
    define('method', 'parseUrl', ['string'], 'map', (_, text) => parseUrl(text)),
  ),
  define('method', 'isURL', ['string'], 'bool', (_, text) => isUrl(text)),
];
