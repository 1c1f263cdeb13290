import { describe, expect, it } from 'vitest';
import { createResponseParser } from './response-parser.ts';
import { BY_BYTE, feedResponses, randomCuts, type Cuts } from './testing/transcript.ts';

const CUTS: readonly Cuts[] = [[Number.MAX_SAFE_INTEGER], BY_BYTE, randomCuts(1), randomCuts(2)];
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

type Accepted = readonly [name: string, methods: readonly string[], raw: string, lines: readonly string[]];

const ACCEPTED: readonly Accepted[] = [
  ['length', ['GET'], `${OK}Content-Length: 2\r\n\r\nab`, ['200 OK length 2', 'body ab', 'end']],
  ['length 0', ['GET'], `${OK}Content-Length: 0\r\n\r\n`, ['200 OK length 0', 'end']],
  ['chunks', ['GET'], `${CHUNKED}2\r\nab\r\n0\r\n\r\n`, ['200 OK chunked', 'body ab', 'end']],
  ['trailers', ['GET'], `${CHUNKED}0\r\nA: b\r\n\r\n`, ['200 OK chunked', 'trailers A=b', 'end']],
  ['until close', ['GET'], `${OK}\r\nab`, ['200 OK close close', 'body ab', 'end']],
  ['until close, nothing', ['GET'], `${OK}\r\n`, ['200 OK close close', 'end']],
  ['HTTP/1.0 until close', ['GET'], 'HTTP/1.0 200 OK\r\n\r\nab', ['200 OK close 1.0 close', 'body ab', 'end']],
  [
    'HTTP/1.0 with length',
    ['GET'],
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na',
    ['200 OK length 1 1.0 close', 'body a', 'end'],
  ],
  [
    'HTTP/1.0 keep-alive',
    ['GET'],
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na',
    ['200 OK length 1 1.0', 'body a', 'end'],
  ],
  [
    'Connection: close',
    ['GET'],
    `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    ['200 OK length 0 close', 'end'],
  ],
  ['no reason', ['GET'], 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', ['200 - length 0', 'end']],
  ['no space after the status', ['GET'], 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ['200 - length 0', 'end']],
  [
    'long reason',
    ['GET'],
    'HTTP/1.1 404 No such \xe9\tthing\r\nContent-Length: 0\r\n\r\n',
    ['404 No such \xe9\tthing length 0', 'end'],
  ],
  ['HEAD with length', ['HEAD'], `${OK}Content-Length: 9\r\n\r\n`, ['200 OK none', 'end']],
  ['HEAD with chunks', ['HEAD'], CHUNKED, ['200 OK none', 'end']],
  ['HEAD without length', ['HEAD'], `${OK}\r\n`, ['200 OK none', 'end']],
  ['204', ['GET'], 'HTTP/1.1 204 No Content\r\n\r\n', ['204 No Content none', 'end']],
  ['204 with length 0', ['GET'], 'HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n', ['204 X none', 'end']],
  ['304 with length', ['GET'], 'HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n', ['304 X none', 'end']],
  ['304 with chunked', ['GET'], 'HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n', ['304 X none', 'end']],
  ['205 with length 0', ['GET'], 'HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n', ['205 X length 0', 'end']],
  [
    '100 first',
    ['POST'],
    `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    ['100 Continue none', '200 OK length 0', 'end'],
  ],
  [
    '103 twice',
    ['GET'],
    `HTTP/1.1 103 H\r\nLink: a\r\n\r\nHTTP/1.1 103 H\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    ['103 H none', '103 H none', '200 OK length 0', 'end'],
  ],
  [
    '100 before HEAD',
    ['HEAD'],
    `HTTP/1.1 100 C\r\n\r\n${OK}Content-Length: 4\r\n\r\n`,
    ['100 C none', '200 OK none', 'end'],
  ],
  [
    'pipelined',
    ['GET', 'HEAD', 'GET'],
    `${OK}Content-Length: 1\r\n\r\na${OK}Content-Length: 5\r\n\r\nHTTP/1.1 204 N\r\n\r\n`,
    ['200 OK length 1', 'body a', 'end', '200 OK none', 'end', '204 N none', 'end'],
  ],
  [
    'body that looks like a response',
    ['GET'],
    `${OK}Content-Length: 19\r\n\r\n${OK}\r\n`,
    ['200 OK length 19', `body ${OK}\r\n`, 'end'],
  ],
  ['Host is nothing special', ['GET'], `${OK}Host: a\r\nContent-Length: 0\r\n\r\n`, ['200 OK length 0', 'end']],
  [
    '426 names an upgrade',
    ['GET'],
    'HTTP/1.1 426 U\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n',
    ['426 U length 0 upgrade=websocket', 'end'],
  ],
  ['refused upgrade', ['GET upgrade'], `${OK}Content-Length: 0\r\n\r\n`, ['200 OK length 0', 'end']],
];

describe('accepted responses', () => {
  it.each(ACCEPTED)('%s', (_name, methods, raw, lines) => {
    for (const cuts of CUTS) {
      const seen = feedResponses(methods, raw, { cuts, fin: true });
      expect(seen.failure).toBe(null);
      expect(seen.lines).toEqual(lines);
    }
  });
});

type Refused = readonly [name: string, raw: string, reason: string];

const BEFORE_HEAD: readonly Refused[] = [
  ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 'two Content-Length fields'],
  ['two lengths alike', `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, 'a repeated Content-Length'],
  ['list of lengths', `${OK}Content-Length: 1, 1\r\n\r\na`, 'not a decimal number'],
  ['negative length', `${OK}Content-Length: -1\r\n\r\na`, 'not a decimal number'],
  ['huge length', `${OK}Content-Length: 99999999999999999999\r\n\r\na`, 'too large'],
  [
    'length and chunked',
    `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'both Content-Length',
  ],
  ['gzip, chunked', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'other than "chunked"'],
  ['identity', `${OK}Transfer-Encoding: identity\r\n\r\n`, 'other than "chunked"'],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'in HTTP/1.0'],
  ['chunked in 204', 'HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'a body with the status 204'],
  ['length in 204', 'HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc', 'a body with the status 204'],
  ['length in 100', 'HTTP/1.1 100 X\r\nContent-Length: 3\r\n\r\nabc', 'a body with the status 100'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', ''],
  ['bare LF in fields', `${OK}A: b\nContent-Length: 0\r\n\r\n`, 'line feed'],
  ['bare CR in a value', `${OK}A: b\rc\r\n\r\n`, 'carriage return'],
  ['folded field', `${OK}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`, 'folded'],
  ['space before the colon', `${OK}Content-Length : 0\r\n\r\n`, 'whitespace in or after'],
  ['NUL in a value', `${OK}A: \0\r\n\r\n`, 'control byte'],
  ['NUL in the reason', 'HTTP/1.1 200 \0\r\n\r\n', 'control byte in the status line'],
  ['CR in the reason', 'HTTP/1.1 200 a\rb\r\n\r\n', ''],
  ['empty line first', `\r\n${OK}\r\n`, 'first byte'],
  ['rubbish first', `x${OK}\r\n`, 'first byte'],
  ['lower-case version', 'http/1.1 200 OK\r\n\r\n', 'first byte'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'version 2.0'],
  ['HTTP/1.10', 'HTTP/1.10 200 OK\r\n\r\n', 'version'],
  ['no version', 'HTTP 200 OK\r\n\r\n', 'version'],
  ['two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'three digits'],
  ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'three digits'],
  ['sign', 'HTTP/1.1 +20 OK\r\n\r\n', 'three digits'],
  ['letters', 'HTTP/1.1 abc OK\r\n\r\n', 'three digits'],
  ['no status', 'HTTP/1.1 \r\n\r\n', 'three digits'],
  ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n', 'three digits'],
  ['tab after the status', 'HTTP/1.1 200\tOK\r\n\r\n', 'three digits'],
  ['status 000', 'HTTP/1.1 000 X\r\n\r\n', 'outside 100 to 599'],
  ['status 099', 'HTTP/1.1 099 X\r\n\r\n', 'outside 100 to 599'],
  ['status 600', 'HTTP/1.1 600 X\r\n\r\n', 'outside 100 to 599'],
  ['status 999', 'HTTP/1.1 999 X\r\n\r\n', 'outside 100 to 599'],
  ['101 that nobody asked for', 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', '101 without'],
];

const IN_BODY: readonly Refused[] = [
  ['bad chunk size', `${CHUNKED}x\r\n`, 'not a hexadecimal number'],
  ['LF after a chunk size', `${CHUNKED}1\na\r\n`, 'not a hexadecimal number'],
  ['chunk too long', `${CHUNKED}1\r\nab\r\n`, 'does not end in CRLF'],
  ['Content-Length as trailer', `${CHUNKED}0\r\nContent-Length: 3\r\n\r\n`, 'in a trailer section'],
  ['Set-Cookie as trailer', `${CHUNKED}0\r\nSet-Cookie: a\r\n\r\n`, 'in a trailer section'],
];

describe('refused responses', () => {
  it.each([...BEFORE_HEAD.map((row) => [...row, 0] as const), ...IN_BODY.map((row) => [...row, 1] as const)])(
    '%s',
    (name, raw, reason, heads) => {
      for (const cuts of CUTS) {
        const seen = feedResponses(['GET'], raw, { cuts });
        expect(seen.failure?.status).toBe(502);
        expect(seen.heads).toBe(heads);
        expect(seen.lines).not.toContain('end');
      }
      expect(feedResponses(['GET'], raw).failure?.reason, name).toContain(reason);
    },
  );

  it('refuses bytes that no request asked for', () => {
    for (const cuts of CUTS) {
      const seen = feedResponses(['GET'], `${OK}Content-Length: 1\r\n\r\na${OK}Content-Length: 0\r\n\r\n`, { cuts });
      expect(seen.failure).toEqual({ status: 502, reason: 'bytes after the last response' });
      expect(seen.heads).toBe(1);
    }
  });

  it('says 431 for a head above the limit', () => {
    for (const cuts of CUTS) {
      const raw = `${OK}A: ${'b'.repeat(300)}\r\n\r\n`;
      expect(feedResponses(['GET'], raw, { cuts, limits: { headBytes: 200 } }).failure?.status).toBe(431);
    }
  });

  it('bounds interim responses', () => {
    const seen = feedResponses(['GET'], 'HTTP/1.1 103 X\r\n\r\n'.repeat(1_001));
    expect(seen.failure?.reason).toBe('more than 1000 interim responses');
    expect(seen.heads).toBe(1_000);
  });
});

describe('ends of the stream', () => {
  const cut = [
    ['within a head', 'HTTP/1.1 200', 'within a head', false],
    ['within a length body', `${OK}Content-Length: 3\r\n\r\nab`, 'within a body', false],
    ['within a chunk', `${CHUNKED}3\r\nab`, 'within a body', false],
    ['before the last chunk', `${CHUNKED}2\r\nab\r\n`, 'within a body', false],
    ['before the last CRLF', `${CHUNKED}0\r\n`, 'within a body', false],
    ['within trailers', `${CHUNKED}0\r\nA: b\r\n`, 'within a body', false],
    ['before any byte', '', 'before a response', true],
    ['after an interim response', 'HTTP/1.1 100 C\r\n\r\n', 'before a response', false],
  ] as const;

  it.each(cut)('%s is a failure', (_name, raw, reason, idle) => {
    const seen: string[] = [];
    const parser = createResponseParser({
      onHead: (head) => void seen.push(String(head.status)),
      onBody: () => undefined,
      onTrailers: () => undefined,
      onEnd: () => void seen.push('end'),
    });
    parser.expect('GET');
    const bytes = Buffer.from(raw, 'latin1');
    parser.execute(bytes, 0, bytes.length);
    parser.finish();
    expect(parser.failure?.reason).toContain(reason);
    expect(parser.idle).toBe(idle);
    expect(seen).not.toContain('end');
    parser.finish();
    expect(parser.execute(Buffer.from(OK), 0, 5)).toBe(0);
  });

  it('between responses is none', () => {
    const seen = feedResponses(['GET'], `${OK}Content-Length: 0\r\n\r\n`, { fin: true });
    expect(seen.failure).toBe(null);
  });
});

const SWITCHES: readonly (readonly [name: string, methods: readonly string[], raw: string, head: string])[] = [
  [
    '101',
    ['GET upgrade'],
    'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    '101 S none upgrade=websocket',
  ],
  ['101 after 100', ['GET upgrade'], 'HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\n\r\n', '101 S none'],
  ['200 to CONNECT', ['CONNECT'], `${OK}\r\n`, '200 OK none'],
];

describe('switches of protocol', () => {
  it.each(SWITCHES)('%s ends parsing and leaves the rest', (_name, methods, raw, head) => {
    for (const cuts of CUTS) {
      const seen = feedResponses(methods, `${raw}\x81\x05hello`, { cuts });
      expect(seen.failure).toBe(null);
      expect(seen.lines.at(-1)).toBe(head);
      expect(seen.rest).toBe('\x81\x05hello');
    }
  });
});
