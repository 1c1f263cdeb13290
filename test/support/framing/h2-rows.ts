/** Heads, bodies and frames over HTTP/2. */
import {
  data,
  frames,
  headers,
  h2Group,
  type H2Row,
  no,
  noAfterEnd,
  noAfterHead,
  only,
  PSEUDO,
  pseudo,
  withBody,
  withFields,
  withTrailers,
  yes,
} from './h2-row.ts';
import { Flag, FrameType, frame, headerBlock, integer, settings, word } from './h2-wire.ts';
import { saw } from './row.ts';

const path = (value: string): ReturnType<typeof only> => only(pseudo({ ':path': value }));
const authority = (value: string): ReturnType<typeof only> => only(pseudo({ ':authority': value }));
const method = (value: string): ReturnType<typeof only> => only(pseudo({ ':method': value }));

const PSEUDO_FIELDS = h2Group('pseudo fields', [
  ['no :method', only(pseudo({ ':method': null })), no],
  ['no :path', only(pseudo({ ':path': null })), no],
  ['no :scheme', only(pseudo({ ':scheme': null })), no],
  ['two :method', withFieldsInFront([':method', 'POST']), no],
  ['two :path', withFieldsInFront([':path', '/{T}/smuggled']), no],
  ['two :authority', withFieldsInFront([':authority', 'other.test']), no],
  ['two :scheme', withFieldsInFront([':scheme', 'http']), no],
  ['one behind a field', only([...pseudo({ ':path': null }), ['x', 'y'], [':path', '/{T}']]), no],
  ['an unknown one', withFieldsInFront([':other', 'x']), no],
  [':status', withFieldsInFront([':status', '200']), no],
  ['capitals', only([...pseudo({ ':path': null }), [':Path', '/{T}']]), no],
  ['empty :path', path(''), no],
  ['relative :path', path('{T}'), no],
  ['space in :path', path('/{T} HTTP/1.1'), no],
  ['a request in :path', path('/{T} HTTP/1.1\r\nHost: {H}\r\n\r\nGET /{T}/smuggled'), no],
  ['LF in :path', path('/{T}\nX: y'), no],
  ['NUL in :path', path('/{T}\0'), no],
  ['tab in :path', path('/{T}\t'), no],
  ['fragment in :path', path('/{T}#a'), no],
  ['high byte in :path', path('/{T}\xe9'), no],
  ['URL as :path', path('https://{H}/{T}'), no],
  ['asterisk with GET', only([...pseudo({ ':path': '*' }), ['x-row', '/{T}']]), no],
  [
    'asterisk with OPTIONS',
    only([...pseudo({ ':path': '*', ':method': 'OPTIONS' }), ['x-row', '/{T}']]),
    yes(saw('OPTIONS', '', {}, '*')),
  ],
  [
    'CONNECT',
    only([
      [':method', 'CONNECT'],
      [':authority', '{H}:443'],
      ['x-row', '/{T}'],
    ]),
    no,
  ],
  ['CONNECT with a path', method('CONNECT'), no],
  ['CONNECT for WebSocket', only([...pseudo({ ':method': 'CONNECT' }), [':protocol', 'websocket']]), no],
  ['empty :method', method(''), no],
  ['space in :method', method('GET /{T}/smuggled HTTP/1.1'), no],
  ['line break in :method', method('GET / HTTP/1.1\r\nX: y\r\n\r\nGET'), no],
  ['NUL in :method', method('GE\0T'), no],
  [':scheme ftp', only(pseudo({ ':scheme': 'ftp' })), no],
  [':scheme with a URL', only(pseudo({ ':scheme': 'https://{H}/{T}/smuggled?' })), no],
  ['line break in :scheme', only(pseudo({ ':scheme': 'https\r\nX: y' })), no],
  ['line break in :authority', authority('{H}\r\nX: y'), no],
  ['space in :authority', authority('{H} x'), no],
  ['user in :authority', authority('u@{H}'), no],
  ['list in :authority', authority('{H}, other.test'), no],
  ['path in :authority', authority('{H}/x'), no],
  ['bad port in :authority', authority('{H}:99999'), no],
  ['empty :authority', authority(''), no],
  ['neither :authority nor host', only(pseudo({ ':authority': null })), no],
  ['host of another', withFields(['host', 'other.test']), no],
  ['host with another port', withFields(['host', '{H}:81']), no],
  ['two host', withFields(['host', '{H}'], ['host', '{H}']), no],
  ['empty host', withFields(['host', '']), no],
  [':authority that nobody holds', authority('nobody.test'), { kind: 'nowhere', status: 404 }],
  ['plain', only(PSEUDO), yes(saw())],
  [':scheme http', only(pseudo({ ':scheme': 'http' })), yes(saw())],
  ['host alone', only([...pseudo({ ':authority': null }), ['host', '{H}']]), yes(saw('GET', '', { host: '{H}' }))],
  ['host as :authority', withFields(['host', '{H}']), yes(saw('GET', '', { host: '{H}' }))],
  [':authority with the port', authority('{H}:443'), yes(saw())],
  ['unknown method', method('M-SEARCH'), yes(saw('M-SEARCH'))],
  ['two slashes', path('//{T}'), yes(saw('GET', '', {}, '//{T}'))],
  ['encoded line break', path('/{T}%0d%0aX:y'), yes(saw('GET', '', { x: null }, '/{T}%0d%0aX:y'))],
]);

/** A pseudo field more, in front of the others. */
function withFieldsInFront(field: readonly [string, string]): ReturnType<typeof only> {
  return only([field, ...PSEUDO]);
}

/**
 * Node's HTTP/2 drops a field that is no field and goes on, where RFC 9113 §8.2.1 wants the stream refused. What passes
 * is a request without the field.
 */
const DROPPED = yes(saw('GET', '', { x: null, z: null, 'transfer-encoding': null }));

const FIELDS = h2Group('fields', [
  ['capital letter in a name', withFields(['X-a', 'y']), no],
  ['colon in a name', withFields(['x:y', 'z']), DROPPED],
  ['space in a name', withFields(['x y', 'z']), DROPPED],
  ['line break in a name', withFields(['x: y\r\nz', 'w']), DROPPED],
  ['NUL in a name', withFields(['x\0', 'y']), DROPPED],
  ['high byte in a name', withFields(['x\xe9', 'y']), DROPPED],
  ['empty name', withFields(['', 'y']), DROPPED],
  ['line break in a value', withFields(['x', 'y\r\ntransfer-encoding: chunked']), DROPPED],
  ['a request in a value', withFields(['x', 'y\r\n\r\nGET /{T}/smuggled HTTP/1.1\r\nHost: {H}\r\n\r\n']), DROPPED],
  ['LF in a value', withFields(['x', 'y\nz: w']), DROPPED],
  ['CR in a value', withFields(['x', 'y\rz']), DROPPED],
  ['NUL in a value', withFields(['x', 'y\0z']), DROPPED],
  ['control byte in a value', withFields(['x', 'y\x01']), DROPPED],
  ['DEL in a value', withFields(['x', 'y\x7f']), DROPPED],
  ['space in front of a value', withFields(['x', ' y']), DROPPED],
  ['tab behind a value', withFields(['x', 'y\t']), DROPPED],
  ['connection: close', withFields(['connection', 'close']), no],
  ['connection that names a field', withFields(['connection', 'x'], ['x', 'y']), no],
  ['keep-alive', withFields(['keep-alive', 'timeout=5']), no],
  ['proxy-connection', withFields(['proxy-connection', 'keep-alive']), no],
  ['upgrade: h2c', withFields(['upgrade', 'h2c'], ['http2-settings', 'AAMAAABk']), no],
  ['http2-settings', withFields(['http2-settings', 'AAMAAABk']), no],
  [
    'transfer-encoding: chunked',
    withBody([['transfer-encoding', 'chunked']], '0\r\n\r\nGET /{T}/smuggled HTTP/1.1\r\nHost: {H}\r\n\r\n'),
    no,
  ],
  ['transfer-encoding: identity', withFields(['transfer-encoding', 'identity']), no],
  ['transfer_encoding', withBody([['transfer_encoding', 'chunked']], '0\r\n\r\n'), no],
  ['content_length', withBody([['content_length', '0']], 'hello'), no],
  ['te: gzip', withFields(['te', 'gzip']), no],
  ['te: trailers, deflate', withFields(['te', 'trailers, deflate']), no],
  [
    'two content-length',
    withBody(
      [
        ['content-length', '5'],
        ['content-length', '5'],
      ],
      'hello',
    ),
    no,
  ],
  [
    'two content-length that differ',
    withBody(
      [
        ['content-length', '0'],
        ['content-length', '5'],
      ],
      'hello',
    ),
    no,
  ],
  ['list in content-length', withBody([['content-length', '5, 5']], 'hello'), no],
  ['sign in content-length', withBody([['content-length', '+5']], 'hello'), no],
  ['minus in content-length', withBody([['content-length', '-5']], 'hello'), no],
  ['hexadecimal content-length', withBody([['content-length', '0x5']], 'hello'), no],
  ['zeros in front of content-length', withBody([['content-length', '05']], 'hello'), no],
  ['content-length 2^64 + 5', withBody([['content-length', '18446744073709551621']], 'hello'), no],
  ['content-length and no body', withFields(['content-length', '5']), no],
  ['content-length above the body', withBody([['content-length', '6']], 'hello'), noAfterHead],
  ['content-length below the body', withBody([['content-length', '4']], 'hello'), noAfterHead],
  [
    'content-length 0 with a body',
    withBody([['content-length', '0']], 'GET /{T}/smuggled HTTP/1.1\r\nHost: {H}\r\n\r\n'),
    noAfterEnd(saw('POST', '')),
  ],
  ['fifteen hundred fields', withFields(...Array.from({ length: 1_500 }, () => ['x', 'y'] as const)), no],
  ['a head of 600 KB', withFields(...Array.from({ length: 600 }, () => ['x', 'y'.repeat(1_000)] as const)), no],
  [
    'content-length',
    withBody([['content-length', '5']], 'hello'),
    yes(saw('POST', 'hello', { 'content-length': '5' })),
  ],
  ['content-length 0 and no body', withFields(['content-length', '0']), yes(saw())],
  ['te: trailers', withFields(['te', 'trailers']), yes(saw())],
  ['cookie crumbs', withFields(['cookie', 'a=1'], ['cookie', 'b=2']), yes(saw('GET', '', { cookie: 'a=1; b=2' }))],
  ['high bytes in a value', withFields(['x', 'caf\xc3\xa9']), yes(saw('GET', '', { x: 'caf\xc3\xa9' }))],
  [
    'x-forwarded-host of another',
    withFields(['x-forwarded-host', 'other.test']),
    yes(saw('GET', '', { 'x-forwarded-host': '{H}' })),
  ],
  ['a head of 100 KB', withFields(...Array.from({ length: 100 }, () => ['x', 'y'.repeat(1_000)] as const)), yes(saw())],
  ['expect', withBody([['expect', '100-continue']], 'hello'), yes(saw('POST', 'hello'))],
]);

const BODIES = h2Group('bodies', [
  ['no length', withBody([], 'hello'), yes(saw('POST', 'hello'))],
  ['several frames', withBody([], 'he', '', 'llo', ''), yes(saw('POST', 'hello'))],
  ['empty', withBody([], ''), yes(saw('POST', ''))],
  ['the end of chunks', withBody([], '0\r\n\r\n', '5\r\n'), yes(saw('POST', '0\r\n\r\n5\r\n'))],
  ['line breaks', withBody([['content-length', '4']], '\r\n\r\n'), yes(saw('POST', '\r\n\r\n'))],
  ['with GET', (id, fill) => [headers(id, PSEUDO, fill, false), data(id, 'ab', true)], yes(saw('GET', 'ab'))],
  [
    'padded',
    (id, fill) => [
      headers(id, pseudo({ ':method': 'POST' }), fill, false),
      frame(FrameType.data, Flag.endStream | Flag.padded, id, Buffer.from('\x04hello\0\0\0\0', 'latin1')),
    ],
    yes(saw('POST', 'hello')),
  ],
  ['trailers', withTrailers([['x-sum', '1']]), yes(saw('POST', 'hello', { 'trailer x-sum': '1' }))],
  ['trailers with a pseudo field', withTrailers([[':path', '/{T}/smuggled']]), noAfterHead],
  ['trailers with content-length', withTrailers([['content-length', '5']]), noAfterHead],
  ['trailers with host', withTrailers([['host', 'other.test']]), noAfterHead],
  ['trailers with x-forwarded-for', withTrailers([['x-forwarded-for', '10.0.0.1']]), noAfterHead],
  ['trailers with a line break', withTrailers([['x', 'y\r\nz: w']]), yes(saw('POST', 'hello'))],
  ['trailers in capitals', withTrailers([['X', 'y']]), noAfterHead],
  ['trailers that do not end', withTrailers([['x', 'y']], false), noAfterHead],
  [
    'padding longer than the frame',
    (id, fill) => [
      headers(id, pseudo({ ':method': 'POST' }), fill, false),
      frame(FrameType.data, Flag.endStream | Flag.padded, id, Buffer.from('\x40hello', 'latin1')),
    ],
    noAfterHead,
  ],
]);

/** A head whose block is written byte by byte. */
const block = (bytes: Buffer | readonly number[]): ReturnType<typeof only> => {
  return (id) => [frames(id, Buffer.from(bytes), true)];
};
const good = (fill: (text: string) => string): Buffer =>
  headerBlock(PSEUDO.map(([name, value]) => [name, fill(value)]));

const FRAMES = h2Group('frames', [
  ['even stream', (id, fill) => [headers(id + 1, PSEUDO, fill, true)], no],
  ['stream 0', (_id, fill) => [headers(0, PSEUDO, fill, true)], no],
  ['DATA without a head', (id) => [data(id, 'hello', true)], no],
  ['CONTINUATION without a head', (id, fill) => [frame(FrameType.continuation, Flag.endHeaders, id, good(fill))], no],
  [
    'another frame inside a head',
    (id, fill) => [
      frame(FrameType.headers, Flag.endStream, id, good(fill)),
      frame(FrameType.ping, 0, 0, Buffer.alloc(8)),
      frame(FrameType.continuation, Flag.endHeaders, id),
    ],
    no,
  ],
  [
    'another stream inside a head',
    (id, fill) => [
      frame(FrameType.headers, Flag.endStream, id, good(fill)),
      frame(FrameType.continuation, Flag.endHeaders, id + 2),
    ],
    no,
  ],
  [
    'a frame above the size',
    (id, fill) => [
      frame(
        FrameType.headers,
        Flag.endStream | Flag.endHeaders,
        id,
        Buffer.concat([good(fill), headerBlock([['x', 'y'.repeat(20_000)]])]),
      ),
    ],
    no,
  ],
  ['table index 0', block([0x80]), no],
  ['table index beyond the end', block([0xff, 0xff, 0xff, 0x7f]), no],
  ['an endless integer', block([0xff, ...Array.from({ length: 12 }, () => 0xff), 0x7f]), no],
  [
    'a string longer than the block',
    block(Buffer.concat([Buffer.from([0]), integer(100, 7, 0), Buffer.from('x')])),
    no,
  ],
  ['Huffman code with its end inside', block([0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 0x61]), no],
  [
    'a table size above the limit',
    (id, fill) => [frames(id, Buffer.concat([integer(1_000_000, 5, 0x20), good(fill)]), true)],
    no,
  ],
  ['half a field', (id, fill) => [frames(id, Buffer.concat([good(fill), Buffer.from([0, 1])]), true)], no],
  [
    'head depends on itself',
    (id, fill) => [
      frame(
        FrameType.headers,
        Flag.endStream | Flag.endHeaders | Flag.priority,
        id,
        Buffer.concat([word(id), Buffer.from([16]), good(fill)]),
      ),
    ],
    no,
  ],
  [
    'PUSH_PROMISE',
    (id, fill) => [frame(FrameType.pushPromise, Flag.endHeaders, id, Buffer.concat([word(id + 1), good(fill)]))],
    no,
  ],
  ['reset of an idle stream', (id) => [frame(FrameType.resetStream, 0, id + 40, word(8))], no],
  ['short reset', (id) => [frame(FrameType.resetStream, 0, id, Buffer.alloc(3))], no],
  ['short PING', () => [frame(FrameType.ping, 0, 0, Buffer.alloc(7))], no],
  ['PING on a stream', (id) => [frame(FrameType.ping, 0, id, Buffer.alloc(8))], no],
  ['SETTINGS on a stream', (id) => [frame(FrameType.settings, 0, id)], no],
  ['SETTINGS of odd length', () => [frame(FrameType.settings, 0, 0, Buffer.alloc(5))], no],
  ['acknowledged SETTINGS with a payload', () => [frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(6))], no],
  ['frame size setting below the least', () => [settings([5, 16_383])], no],
  ['window setting above the most', () => [settings([4, 0x80000000])], no],
  ['window update of 0', () => [frame(FrameType.windowUpdate, 0, 0, word(0))], no],
  [
    'window beyond the most',
    () => [
      frame(FrameType.windowUpdate, 0, 0, word(0x7fffffff)),
      frame(FrameType.windowUpdate, 0, 0, word(0x7fffffff)),
    ],
    no,
  ],
  ['GOAWAY on a stream', (id) => [frame(FrameType.goAway, 0, id, Buffer.alloc(8))], no],
  ['short GOAWAY', () => [frame(FrameType.goAway, 0, 0, Buffer.alloc(4))], no],
  [
    'head in two frames',
    (id, fill) => {
      const bytes = good(fill);
      return [
        frame(FrameType.headers, Flag.endStream, id, bytes.subarray(0, 20)),
        frame(FrameType.continuation, Flag.endHeaders, id, bytes.subarray(20)),
      ];
    },
    yes(saw()),
  ],
  [
    'unknown frame type',
    (id, fill) => [frame(0x77, 0xff, id, Buffer.from('x')), headers(id, PSEUDO, fill, true)],
    yes(saw()),
  ],
  ['unknown setting', (id, fill) => [settings([0x9999, 1]), headers(id, PSEUDO, fill, true)], yes(saw())],
  [
    'priority beforehand',
    (id, fill) => [
      frame(FrameType.priority, 0, id, Buffer.concat([word(0), Buffer.from([1])])),
      headers(id, PSEUDO, fill, true),
    ],
    yes(saw()),
  ],
]);

export const H2_ROWS: readonly H2Row[] = [...PSEUDO_FIELDS, ...FIELDS, ...BODIES, ...FRAMES];
