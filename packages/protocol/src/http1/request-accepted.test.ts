import { describe, expect, it } from 'vitest';
import { BY_BYTE, feedRequests, randomCuts } from './testing/transcript.ts';

type Row = readonly [name: string, raw: string, lines: readonly string[]];

const chunked = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
const CHUNKED_HEAD = 'POST / @a.test chunked';
const get = (lines: string, target = '/'): string => `GET ${target} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`;

const ROWS: readonly Row[] = [
  ['plain GET', get(''), ['GET / @a.test none', 'end']],
  ['empty line first', `\r\n${get('')}`, ['GET / @a.test none', 'end']],
  ['host in capitals', 'GET / HTTP/1.1\r\nHOST: A.TEST:8080\r\n\r\n', ['GET / @a.test:8080 none', 'end']],
  ['IPv6 host', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', ['GET / @[::1]:80 none', 'end']],
  ['IPv6 host without port', 'GET / HTTP/1.1\r\nHost: [2001:DB8::1]\r\n\r\n', ['GET / @[2001:db8::1] none', 'end']],
  ['IPv4 host', 'GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n', ['GET / @127.0.0.1:1 none', 'end']],
  ['dot after the host', 'GET / HTTP/1.1\r\nHost: A.test.\r\n\r\n', ['GET / @a.test none', 'end']],
  ['dot before the port', 'GET / HTTP/1.1\r\nHost: a.test.:81\r\n\r\n', ['GET / @a.test:81 none', 'end']],
  [
    'URL with a dot',
    'GET http://a.test./ HTTP/1.1\r\nHost: a.test\r\n\r\n',
    ['GET http://a.test./ @a.test none', 'end'],
  ],
  ['underscore in the host', 'GET / HTTP/1.1\r\nHost: a_b.test\r\n\r\n', ['GET / @a_b.test none', 'end']],
  ['no space after the colon', 'GET / HTTP/1.1\r\nHost:a.test\r\n\r\n', ['GET / @a.test none', 'end']],
  ['tabs around a value', 'GET / HTTP/1.1\r\nHost:\t a.test \t\r\n\r\n', ['GET / @a.test none', 'end']],
  ['empty value', get('X:\r\n'), ['GET / @a.test none', 'end']],
  ['high bytes in a value', get('X: caf\xc3\xa9\r\n'), ['GET / @a.test none', 'end']],
  ['colon in a value', get('X: a:b\r\n'), ['GET / @a.test none', 'end']],
  ['every token char in a name', get("!#$%&'*+-.^_`|~09azAZ: 1\r\n"), ['GET / @a.test none', 'end']],
  [
    'every visible char in a target',
    get('', '/!$%&\'()*+,-./:;=?@[]^_`{|}~"<>\\'),
    ['GET /!$%&\'()*+,-./:;=?@[]^_`{|}~"<>\\ @a.test none', 'end'],
  ],
  ['two slashes', get('', '//b.test/x'), ['GET //b.test/x @a.test none', 'end']],
  ['absolute target', get('', 'http://a.test/x?y'), ['GET http://a.test/x?y @a.test none', 'end']],
  ['absolute target in capitals', get('', 'HTTP://A.test/'), ['GET HTTP://A.test/ @a.test none', 'end']],
  ['absolute target without path', get('', 'https://a.test'), ['GET https://a.test @a.test none', 'end']],
  ['absolute target with query only', get('', 'http://a.test?q'), ['GET http://a.test?q @a.test none', 'end']],
  [
    'absolute target with the implied port',
    get('', 'http://a.test:80/'),
    ['GET http://a.test:80/ @a.test:80 none', 'end'],
  ],
  [
    'absolute target in HTTP/1.0',
    'GET http://b.test/ HTTP/1.0\r\n\r\n',
    ['GET http://b.test/ @b.test none 1.0 close', 'end'],
  ],
  ['OPTIONS asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n', ['OPTIONS * @a.test none', 'end']],
  ['unknown method', 'M-SEARCH / HTTP/1.1\r\nHost: a.test\r\n\r\n', ['M-SEARCH / @a.test none', 'end']],
  ['lower-case method', 'get / HTTP/1.1\r\nHost: a.test\r\n\r\n', ['get / @a.test none', 'end']],
  ['HTTP/1.0 without host', 'GET / HTTP/1.0\r\n\r\n', ['GET / @ none 1.0 close', 'end']],
  ['HTTP/1.0 with host', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', ['GET / @a none 1.0 close', 'end']],
  ['HTTP/1.0 keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', ['GET / @ none 1.0 close', 'end']],
  [
    'HTTP/1.0 with length',
    'POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab',
    ['POST / @ length 2 1.0 close', 'body ab', 'end'],
  ],
  ['Connection: close', get('Connection: close\r\n'), ['GET / @a.test none close', 'end']],
  ['close in a list', get('Connection: x, CLOSE\r\n'), ['GET / @a.test none close', 'end']],
  ['close in a second field', get('Connection: x\r\nConnection: close\r\n'), ['GET / @a.test none close', 'end']],
  ['close beats keep-alive', get('Connection: keep-alive, close\r\n'), ['GET / @a.test none close', 'end']],
  ['Connection: keep-alive', get('Connection: Keep-Alive\r\n'), ['GET / @a.test none', 'end']],
  ['WebSocket', get('Connection: Upgrade\r\nUpgrade: WebSocket\r\n'), ['GET / @a.test none upgrade=websocket', 'end']],
  [
    'Upgrade in a list',
    get('Connection: keep-alive, Upgrade\r\nUpgrade: a/1, b\r\n'),
    ['GET / @a.test none upgrade=a/1', 'end'],
  ],
  ['Upgrade without Connection', get('Upgrade: websocket\r\n'), ['GET / @a.test none', 'end']],
  ['Connection: upgrade without Upgrade', get('Connection: upgrade\r\n'), ['GET / @a.test none', 'end']],
  [
    'h2c is dropped',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n'),
    ['GET / @a.test none', 'end'],
  ],
  [
    'h2c among others is dropped',
    get('Connection: upgrade\r\nUpgrade: H2C, websocket\r\n'),
    ['GET / @a.test none upgrade=websocket', 'end'],
  ],
  [
    'Upgrade in HTTP/1.0 is ignored',
    'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ['GET / @ none 1.0 close', 'end'],
  ],
  ['Expect', get('Expect: 100-Continue\r\n'), ['GET / @a.test none expect', 'end']],
  ['another Expect', get('Expect: x\r\n'), ['GET / @a.test none', 'end']],
  [
    'Expect in HTTP/1.0 is ignored',
    'GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n',
    ['GET / @ none 1.0 close', 'end'],
  ],
  ['length 0', get('Content-Length: 0\r\n'), ['GET / @a.test length 0', 'end']],
  ['GET with a body', `${get('Content-Length: 3\r\n')}abc`, ['GET / @a.test length 3', 'body abc', 'end']],
  ['length with outer blanks', `${get('Content-Length: \t3 \r\n')}abc`, ['GET / @a.test length 3', 'body abc', 'end']],
  [
    'body that looks like a request',
    `${get('Content-Length: 18\r\n')}GET / HTTP/1.1\r\n\r\n`,
    ['GET / @a.test length 18', 'body GET / HTTP/1.1\r\n\r\n', 'end'],
  ],
  ['largest length', get('Content-Length: 9007199254740991\r\n'), ['GET / @a.test length 9007199254740991']],
  ['no chunks', chunked('0\r\n\r\n'), [CHUNKED_HEAD, 'end']],
  ['chunks', chunked('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'), [CHUNKED_HEAD, 'body hello!', 'end']],
  [
    'sizes in both cases',
    chunked('a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n'),
    [CHUNKED_HEAD, 'body 0123456789abcdefghij', 'end'],
  ],
  ['padded size', chunked('0005\r\nhello\r\n000\r\n\r\n'), [CHUNKED_HEAD, 'body hello', 'end']],
  [
    'extensions',
    chunked('5;a\r\nhello\r\n1;a=b;c="d\\"; e"\r\n!\r\n0;z\r\n\r\n'),
    [CHUNKED_HEAD, 'body hello!', 'end'],
  ],
  ['CRLF in chunk data', chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'), [CHUNKED_HEAD, 'body \r\n\r\n', 'end']],
  [
    'trailers',
    chunked('1\r\nx\r\n0\r\nX-Sum: 1\r\ngrpc-status:0\r\n\r\n'),
    [CHUNKED_HEAD, 'body x', 'trailers X-Sum=1|grpc-status=0', 'end'],
  ],
  [
    'Chunked in capitals',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n',
    [CHUNKED_HEAD, 'end'],
  ],
  ['pipelined', `${get('')}${get('', '/2')}`, ['GET / @a.test none', 'end', 'GET /2 @a.test none', 'end']],
  [
    'pipelined with an empty line between',
    `${get('')}\r\n${get('', '/2')}`,
    ['GET / @a.test none', 'end', 'GET /2 @a.test none', 'end'],
  ],
  [
    'pipelined after a body',
    `${get('Content-Length: 1\r\n')}x${get('', '/2')}`,
    ['GET / @a.test length 1', 'body x', 'end', 'GET /2 @a.test none', 'end'],
  ],
  [
    'pipelined after chunks',
    `${chunked('1\r\nx\r\n0\r\n\r\n')}${get('', '/2')}`,
    [CHUNKED_HEAD, 'body x', 'end', 'GET /2 @a.test none', 'end'],
  ],
  [
    'another host on the same connection',
    `${get('')}GET / HTTP/1.1\r\nHost: b\r\n\r\n`,
    ['GET / @a.test none', 'end', 'GET / @b none', 'end'],
  ],
];

describe('accepted requests', () => {
  it.each(ROWS)('%s', (_name, raw, lines) => {
    for (const cuts of [undefined, BY_BYTE, randomCuts(1), randomCuts(2), randomCuts(3)]) {
      const seen = feedRequests(raw, cuts === undefined ? {} : { cuts });
      expect(seen.failure).toBe(null);
      expect(seen.lines).toEqual(lines);
      expect(seen.rest).toBe('');
    }
  });

  it('keeps order, case and repetition of fields, and trims values', () => {
    const raw = 'GET / HTTP/1.1\r\nhoSt: a\r\nX-A:  1 \r\nx-a: 2\r\nB:\r\n\r\n';
    expect(feedRequests(raw, { fields: true }).lines[0]).toBe('GET / @a none hoSt=a|X-A=1|x-a=2|B=');
  });
});

describe('limits', () => {
  const field = 'X: 1\r\n';

  it('counts the whole head', () => {
    const raw = get(field);
    expect(feedRequests(raw, { limits: { headBytes: raw.length } }).failure).toBe(null);
    for (const cuts of [undefined, BY_BYTE, randomCuts(4)]) {
      const options = { limits: { headBytes: raw.length - 1 } };
      expect(feedRequests(raw, cuts === undefined ? options : { ...options, cuts }).failure?.status).toBe(431);
    }
  });

  it('answers 414 when the request line alone is too long', () => {
    for (const cuts of [undefined, BY_BYTE, randomCuts(4)]) {
      const options = { limits: { headBytes: 100 } };
      const raw = get('', `/${'a'.repeat(200)}`);
      expect(feedRequests(raw, cuts === undefined ? options : { ...options, cuts }).failure?.status).toBe(414);
    }
  });

  it('has defaults of 262,144 bytes and 1,000 fields', () => {
    expect(feedRequests(get(`X: ${'a'.repeat(262_000)}\r\n`)).failure).toBe(null);
    expect(feedRequests(get(`X: ${'a'.repeat(262_144)}\r\n`)).failure?.status).toBe(431);
    expect(feedRequests(get(field.repeat(999))).failure).toBe(null);
    expect(feedRequests(get(field.repeat(1_000))).failure).toEqual({
      status: 431,
      reason: 'more than 1000 header fields',
    });
  });

  it('bounds trailers as heads', () => {
    const raw = chunked(`0\r\n${field.repeat(50)}\r\n`);
    expect(feedRequests(raw).failure).toBe(null);
    expect(feedRequests(raw, { limits: { headBytes: 200 } }).failure?.status).toBe(431);
    expect(feedRequests(raw, { limits: { fieldCount: 49 } }).failure?.status).toBe(431);
  });
});
