import { describe, expect, it } from 'vitest';
import { fieldsForH2, validateH2RequestHead, validateH2ResponseHead, validateH2Trailers } from './h2-head.ts';

const PSEUDO = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];
const withPseudo = (changes: Record<string, string | null>): string[] => {
  const raw: string[] = [];
  for (let index = 0; index < PSEUDO.length; index += 2) {
    const name = PSEUDO[index] ?? '';
    const value = name in changes ? changes[name] : PSEUDO[index + 1];
    if (typeof value === 'string') raw.push(name, value);
  }
  return raw;
};

describe('HTTP/2 request heads', () => {
  it('become heads of HTTP/1', () => {
    const raw = [...PSEUDO, 'accept', '*/*', 'cookie', 'a=1', 'te', 'trailers', 'cookie', 'b=2', 'host', 'A.test:443'];
    expect(validateH2RequestHead(raw, true)).toEqual({
      failure: null,
      scheme: 'https',
      head: {
        method: 'GET',
        target: '/',
        authority: 'a.test',
        minor: 1,
        fields: ['host', 'a.test', 'accept', '*/*', 'cookie', 'a=1; b=2', 'te', 'trailers'],
        framing: { kind: 'none' },
        keepAlive: true,
        upgrade: '',
        expectContinue: false,
      },
    });
  });

  it.each([
    [['a=1', ''], 'a=1'],
    [['', 'b=2'], 'b=2'],
    [['', ''], ''],
    [['a=1', '', 'b=2'], 'a=1; b=2'],
  ])('join the cookie crumbs %j without a blank at an end', (crumbs, joined) => {
    const result = validateH2RequestHead([...PSEUDO, ...crumbs.flatMap((crumb) => ['cookie', crumb])], true);
    expect(result.failure === null ? result.head.fields : null).toEqual(['host', 'a.test', 'cookie', joined]);
  });

  it.each([
    ['a body of unknown length', [], false, { kind: 'chunked' }],
    ['a body of known length', ['content-length', '5'], false, { kind: 'length', length: 5 }],
    ['a declared empty body', ['content-length', '0'], true, { kind: 'length', length: 0 }],
    ['no body', [], true, { kind: 'none' }],
  ] as const)('frame %s', (_name, fields, endStream, framing) => {
    const result = validateH2RequestHead([...PSEUDO, ...fields], endStream);
    expect(result.failure === null ? result.head.framing : result.failure).toEqual(framing);
  });

  it.each([
    ['host alone', [...withPseudo({ ':authority': null }), 'host', 'b.test'], 'b.test'],
    ['authority alone', PSEUDO, 'a.test'],
    ['both, one with the implied port', [...PSEUDO, 'host', 'a.test:443'], 'a.test'],
  ])('take the authority from %s', (_name, raw, authority) => {
    const result = validateH2RequestHead(raw, true);
    expect(result.failure === null ? result.head.authority : result.failure).toBe(authority);
  });

  it('note Expect and OPTIONS *', () => {
    const raw = [...withPseudo({ ':method': 'OPTIONS', ':path': '*' }), 'expect', '100-continue'];
    const result = validateH2RequestHead(raw, false);
    expect(result.failure === null && result.head.expectContinue && result.head.target).toBe('*');
  });

  const refused: readonly (readonly [string, readonly string[], number, string])[] = [
    ['no method', withPseudo({ ':method': null }), 400, ':method'],
    ['no token as method', withPseudo({ ':method': 'GE T' }), 400, ':method'],
    ['CONNECT', withPseudo({ ':method': 'CONNECT' }), 405, 'CONNECT'],
    ['extended CONNECT', [':protocol', 'websocket', ...withPseudo({ ':method': 'CONNECT' })], 405, 'CONNECT'],
    ['no scheme', withPseudo({ ':scheme': null }), 400, ':scheme'],
    ['other scheme', withPseudo({ ':scheme': 'ftp' }), 400, ':scheme'],
    ['no path', withPseudo({ ':path': null }), 400, ':path'],
    ['empty path', withPseudo({ ':path': '' }), 400, ':path'],
    ['relative path', withPseudo({ ':path': 'a' }), 400, ':path'],
    ['absolute URL as path', withPseudo({ ':path': 'http://a.test/' }), 400, ':path'],
    ['asterisk with GET', withPseudo({ ':path': '*' }), 400, ':path'],
    ['space in the path', withPseudo({ ':path': '/a b' }), 400, ':path'],
    ['request line in the path', withPseudo({ ':path': '/ HTTP/1.1\r\nX: y' }), 400, ':path'],
    ['fragment in the path', withPseudo({ ':path': '/#a' }), 400, ':path'],
    ['no authority', withPseudo({ ':authority': null }), 400, 'neither :authority nor host'],
    ['empty authority', withPseudo({ ':authority': '' }), 400, 'invalid host'],
    ['user in the authority', withPseudo({ ':authority': 'u@a.test' }), 400, 'user information'],
    ['bad port', withPseudo({ ':authority': 'a.test:x' }), 400, 'invalid port'],
    ['other host', [...PSEUDO, 'host', 'b.test'], 400, 'differs from :authority'],
    ['two hosts', [...PSEUDO, 'host', 'a.test', 'host', 'a.test'], 400, 'repeated host'],
    ['two methods', [...PSEUDO, ':method', 'GET'], 400, 'repeated :method'],
    ['two authorities', [...PSEUDO, ':authority', 'b.test'], 400, 'repeated :authority'],
    ['late pseudo field', [':method', 'GET', 'a', 'b', ':path', '/'], 400, 'after another field'],
    ['unknown pseudo field', [':x', 'y', ...PSEUDO], 400, 'not known here'],
    [':status', [':status', '200', ...PSEUDO], 400, 'not known here'],
    ['upper-case name', [...PSEUDO, 'Accept', 'a'], 400, 'lower case'],
    ['no token as name', [...PSEUDO, 'a b', 'a'], 400, 'not a token'],
    ['colon in a name', [...PSEUDO, 'a:', 'a'], 400, 'not a token'],
    ['line break in a name', [...PSEUDO, 'a\r\nb', 'a'], 400, 'not a token'],
    ['empty name', [...PSEUDO, '', 'a'], 400, 'not a token'],
    ['CRLF in a value', [...PSEUDO, 'a', 'b\r\nc: d'], 400, 'a value of a'],
    ['LF in a value', [...PSEUDO, 'a', 'b\nc'], 400, 'a value of a'],
    ['NUL in a value', [...PSEUDO, 'a', 'b\0'], 400, 'a value of a'],
    ['leading space', [...PSEUDO, 'a', ' b'], 400, 'a value of a'],
    ['trailing tab', [...PSEUDO, 'a', 'b\t'], 400, 'a value of a'],
    ['connection', [...PSEUDO, 'connection', 'close'], 400, 'HTTP/1 connections only'],
    ['keep-alive', [...PSEUDO, 'keep-alive', 'a'], 400, 'HTTP/1 connections only'],
    ['proxy-connection', [...PSEUDO, 'proxy-connection', 'a'], 400, 'HTTP/1 connections only'],
    ['transfer-encoding', [...PSEUDO, 'transfer-encoding', 'chunked'], 400, 'HTTP/1 connections only'],
    ['transfer_encoding', [...PSEUDO, 'transfer_encoding', 'chunked'], 400, 'underscore'],
    ['upgrade', [...PSEUDO, 'upgrade', 'h2c'], 400, 'HTTP/1 connections only'],
    ['te gzip', [...PSEUDO, 'te', 'gzip'], 400, 'te field'],
    ['two lengths', [...PSEUDO, 'content-length', '5', 'content-length', '5'], 400, 'repeated content-length'],
    ['list of lengths', [...PSEUDO, 'content-length', '5, 5'], 400, 'not a decimal number'],
    ['signed length', [...PSEUDO, 'content-length', '+5'], 400, 'not a decimal number'],
    ['padded length', [...PSEUDO, 'content-length', '05'], 400, 'leading zeros'],
    [
      'too many fields',
      [...PSEUDO, ...Array.from({ length: 1_998 }, (_, index) => (index % 2 === 0 ? 'a' : 'b'))],
      431,
      'more than',
    ],
  ];
  it.each(refused)('are refused with %s', (_name, raw, status, reason) => {
    const { failure } = validateH2RequestHead(raw, false);
    expect(failure?.status).toBe(status);
    expect(failure?.reason).toContain(reason);
  });

  it('are refused with a length and no body', () => {
    expect(validateH2RequestHead([...PSEUDO, 'content-length', '5'], true).failure?.status).toBe(400);
  });
});

describe('HTTP/2 response heads', () => {
  it.each([
    ['a body', [':status', '200'], false, 'GET', { kind: 'chunked' }],
    ['a known length', [':status', '200', 'content-length', '3'], false, 'GET', { kind: 'length', length: 3 }],
    ['no body', [':status', '200'], true, 'GET', { kind: 'length', length: 0 }],
    ['HEAD', [':status', '200', 'content-length', '3'], true, 'HEAD', { kind: 'none' }],
    ['304', [':status', '304', 'content-length', '3'], true, 'GET', { kind: 'none' }],
    ['204', [':status', '204'], true, 'GET', { kind: 'none' }],
    ['103', [':status', '103', 'link', 'a'], false, 'GET', { kind: 'none' }],
  ] as const)('frame %s', (_name, raw, endStream, method, framing) => {
    const result = validateH2ResponseHead(raw, endStream, method);
    expect(result.failure === null ? result.head.framing : result.failure).toEqual(framing);
  });

  it.each([
    ['no status', ['a', 'b'], false],
    ['bad status', [':status', '2x0'], false],
    ['status 600', [':status', '600'], false],
    ['status 101', [':status', '101'], false],
    ['connection', [':status', '200', 'connection', 'close'], false],
    ['CRLF in a value', [':status', '200', 'a', 'b\r\nc: d'], false],
    ['two lengths', [':status', '200', 'content-length', '1', 'content-length', '1'], false],
    ['two hosts', [':status', '200', 'host', 'a.test', 'host', 'a.test'], false],
    ['length without body', [':status', '200', 'content-length', '1'], true],
    ['length in 204', [':status', '204', 'content-length', '1'], true],
    ['103 that ends', [':status', '103'], true],
    ['request pseudo field', [':status', '200', ':path', '/'], false],
  ] as const)('are refused with %s', (_name, raw, endStream) => {
    expect(validateH2ResponseHead(raw, endStream, 'GET').failure?.status).toBe(502);
  });
});

describe('trailers and translation', () => {
  it('checks trailers', () => {
    expect(validateH2Trailers(['grpc-status', '0'])).toEqual({ failure: null, fields: ['grpc-status', '0'] });
    for (const raw of [
      [':status', '200'],
      ['content-length', '3'],
      ['host', 'a'],
      ['x', 'a\r\nb'],
      ['connection', 'close'],
    ]) {
      expect(validateH2Trailers(raw).failure?.status).toBe(400);
    }
  });

  it('makes fields of HTTP/1 fit for HTTP/2', () => {
    const fields = [
      'Host',
      'a',
      'X-A',
      '1',
      'Connection',
      'close, X-Hop',
      'X-Hop',
      '1',
      'Transfer-Encoding',
      'chunked',
      'TE',
      'gzip, trailers',
    ];
    expect(fieldsForH2(fields)).toEqual(['x-a', '1', 'te', 'trailers']);
    expect(fieldsForH2(['TE', 'gzip'])).toEqual([]);
  });
});
