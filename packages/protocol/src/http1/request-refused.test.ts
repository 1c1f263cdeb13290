import { describe, expect, it } from 'vitest';
import { BY_BYTE, feedRequests, randomCuts, WHOLE } from './testing/transcript.ts';

/** Name, raw request, status, and a part of the reason. */
type Row = readonly [name: string, raw: string, status: number, reason: string];

const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`;
const post = (lines: string, body = 'hello'): string => `POST / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
const line = (first: string): string => `${first}\r\nHost: a.test\r\n\r\n`;
const host = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`;

const LENGTHS: readonly Row[] = [
  ['two lengths that differ', post('Content-Length: 5\r\nContent-Length: 6\r\n'), 400, 'two Content-Length'],
  ['two lengths alike', post('Content-Length: 5\r\nContent-Length: 5\r\n'), 400, 'a repeated Content-Length'],
  ['two lengths, other case', post('Content-Length: 5\r\ncontent-LENGTH: 5\r\n'), 400, 'repeated Content-Length'],
  ['a list of lengths', post('Content-Length: 5, 5\r\n'), 400, 'not a decimal number'],
  ['a list of other lengths', post('Content-Length: 5, 6\r\n'), 400, 'not a decimal number'],
  ['length with plus', post('Content-Length: +5\r\n'), 400, 'not a decimal number'],
  ['length with minus', post('Content-Length: -5\r\n'), 400, 'not a decimal number'],
  ['negative zero', post('Content-Length: -0\r\n'), 400, 'not a decimal number'],
  ['padded with zeros', post('Content-Length: 005\r\n'), 400, 'leading zeros'],
  ['double zero', post('Content-Length: 00\r\n', ''), 400, 'leading zeros'],
  ['hexadecimal', post('Content-Length: 0x5\r\n'), 400, 'not a decimal number'],
  ['hexadecimal letter', post('Content-Length: a\r\n'), 400, 'not a decimal number'],
  ['decimal point', post('Content-Length: 5.0\r\n'), 400, 'not a decimal number'],
  ['exponent', post('Content-Length: 5e0\r\n'), 400, 'not a decimal number'],
  ['underscore digits', post('Content-Length: 1_0\r\n'), 400, 'not a decimal number'],
  ['inner space', post('Content-Length: 1 0\r\n'), 400, 'not a decimal number'],
  ['quoted', post('Content-Length: "5"\r\n'), 400, 'not a decimal number'],
  ['empty length', post('Content-Length:\r\n'), 400, 'an empty Content-Length'],
  ['blank length', post('Content-Length:  \t \r\n'), 400, 'an empty Content-Length'],
  ['above 2^53', post('Content-Length: 9007199254740992\r\n'), 400, 'too large'],
  ['2^64 + 5, which wraps to 5', post('Content-Length: 18446744073709551621\r\n'), 400, 'too large'],
  ['hundreds of digits', post(`Content-Length: ${'9'.repeat(400)}\r\n`), 400, 'too large'],
  ['arabic digit as latin1 bytes', post('Content-Length: \xd9\xa5\r\n'), 400, 'not a decimal number'],
  ['semicolon', post('Content-Length: 5;\r\n'), 400, 'not a decimal number'],
  ['underscore in the name', post('Content_Length: 5\r\n'), 400, 'imitates Content-Length'],
];

const CODINGS: readonly Row[] = [
  ['CL.TE', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, 'both Content-Length'],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'), 400, 'both Content-Length'],
  ['TE with length 0', post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', '0\r\n\r\n'), 400, 'both'],
  ['TE.TE alike', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 400, 'repeated Transfer'],
  ['TE.TE identity', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'), 400, 'two Transfer-Enc'],
  ['TE.TE other case', post('Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n'), 400, 'two Transfer-Encoding'],
  ['chunked twice in a list', post('Transfer-Encoding: chunked, chunked\r\n'), 400, 'does not end in one "chunked"'],
  ['chunked not last', post('Transfer-Encoding: chunked, gzip\r\n'), 400, 'does not end in one "chunked"'],
  ['gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n'), 501, 'other than "chunked"'],
  ['identity', post('Transfer-Encoding: identity\r\n'), 501, 'other than "chunked"'],
  ['xchunked', post('Transfer-Encoding: xchunked\r\n'), 501, 'other than "chunked"'],
  ['chunke', post('Transfer-Encoding: chunke\r\n'), 501, 'other than "chunked"'],
  ['x-chunked', post('Transfer-Encoding: x-chunked\r\n'), 501, 'other than "chunked"'],
  ['chunked with comma first', post('Transfer-Encoding: ,chunked\r\n'), 400, 'does not end in one "chunked"'],
  ['chunked with comma last', post('Transfer-Encoding: chunked,\r\n'), 400, 'does not end in one "chunked"'],
  ['chunked with parameter', post('Transfer-Encoding: chunked;q=1\r\n'), 400, 'does not end in one "chunked"'],
  ['quoted chunked', post('Transfer-Encoding: "chunked"\r\n'), 400, 'does not end in one "chunked"'],
  ['single-quoted chunked', post("Transfer-Encoding: 'chunked'\r\n"), 501, 'other than "chunked"'],
  ['empty coding', post('Transfer-Encoding:\r\n'), 400, 'does not end in one "chunked"'],
  ['two words', post('Transfer-Encoding: chunked identity\r\n'), 400, 'does not end in one "chunked"'],
  ['vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\r\n'), 400, 'control byte'],
  ['form feed after chunked', post('Transfer-Encoding: chunked\x0c\r\n'), 400, 'control byte'],
  ['NUL after chunked', post('Transfer-Encoding: chunked\0\r\n'), 400, 'control byte'],
  ['no-break space before chunked', post('Transfer-Encoding: \xa0chunked\r\n'), 400, 'does not end in one'],
  ['space before the colon', post('Transfer-Encoding : chunked\r\n'), 400, 'whitespace in or after a header name'],
  ['tab before the colon', post('Transfer-Encoding\t: chunked\r\n'), 400, 'whitespace in or after a header name'],
  ['folded coding', post('Transfer-Encoding:\r\n chunked\r\n'), 400, 'folded'],
  ['underscore in the name', post('Transfer_Encoding: chunked\r\n'), 400, 'imitates Transfer-Encoding'],
  ['coding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'in HTTP/1.0'],
  ['NUL in the name', post('Transfer-Encodin\0: chunked\r\n'), 400, 'character in a header name'],
];

const LINES: readonly Row[] = [
  ['bare LF everywhere', 'GET / HTTP/1.1\nHost: a.test\n\n', 400, 'request line'],
  ['bare LF after the request line', 'GET / HTTP/1.1\nHost: a.test\r\n\r\n', 400, ''],
  ['bare LF after a field', 'GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n', 400, 'line feed'],
  ['bare LF as empty line', 'GET / HTTP/1.1\r\nHost: a.test\r\n\nX: y\r\n\r\n', 400, ''],
  ['LF CR as line end', 'GET / HTTP/1.1\r\nHost: a.test\n\rX: y\r\n\r\n', 400, 'line feed'],
  ['bare CR in a value', get('X: a\rb\r\n'), 400, 'carriage return'],
  ['bare CR as line end', get('X: a\rY: b\r\n'), 400, 'carriage return'],
  ['CR CR LF', get('X: a\r\r\n'), 400, 'carriage return'],
  ['CR in the request line', 'GET /\r HTTP/1.1\r\nHost: a.test\r\n\r\n', 400, ''],
  ['folded with space', get('X: a\r\n b\r\n'), 400, 'folded'],
  ['folded with tab', get('X: a\r\n\tb\r\n'), 400, 'folded'],
  ['indented first field', 'GET / HTTP/1.1\r\n Host: a.test\r\n\r\n', 400, 'folded'],
  ['whitespace line', get(' \r\n'), 400, 'folded'],
  ['space before colon', get('X : a\r\n'), 400, 'whitespace in or after a header name'],
  ['tab before colon', get('X\t: a\r\n'), 400, 'whitespace in or after a header name'],
  ['space in a name', get('X Y: a\r\n'), 400, 'whitespace in or after a header name'],
  ['empty name', get(': a\r\n'), 400, 'empty header name'],
  ['no colon', get('Xyz\r\n'), 400, 'without a colon'],
  ['NUL in a value', get('X: a\0b\r\n'), 400, 'control byte'],
  ['bell in a value', get('X: a\x07b\r\n'), 400, 'control byte'],
  ['escape in a value', get('X: \x1b[0m\r\n'), 400, 'control byte'],
  ['DEL in a value', get('X: a\x7f\r\n'), 400, 'control byte'],
  ['NUL in a name', get('X\0Y: a\r\n'), 400, 'character in a header name'],
  ['slash in a name', get('X/Y: a\r\n'), 400, 'character in a header name'],
  ['brackets in a name', get('X[]: a\r\n'), 400, 'character in a header name'],
  ['quotes in a name', get('"X": a\r\n'), 400, 'character in a header name'],
  ['high byte in a name', get('X\xe9: a\r\n'), 400, 'character in a header name'],
  ['no-break space after a name', get('X\xa0: a\r\n'), 400, 'character in a header name'],
  ['comma in a name', get('X,Y: a\r\n'), 400, 'character in a header name'],
  ['Connection that is no list', get('Connection: a b\r\n'), 400, 'not a list of names'],
  ['Upgrade that is no list', get('Connection: upgrade\r\nUpgrade: a b\r\n'), 400, 'not a list of protocols'],
];

const START_LINES: readonly Row[] = [
  ['two empty lines first', `\r\n\r\n${get('')}`, 400, 'first byte'],
  ['CR alone first', `\rGET / HTTP/1.1\r\n\r\n`, 400, 'carriage return'],
  ['LF first', `\n${get('')}`, 400, 'first byte'],
  ['space first', ` ${get('')}`, 400, 'first byte'],
  ['NUL first', `\0${get('')}`, 400, 'first byte'],
  ['a TLS handshake', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400, 'first byte'],
  ['no version (0.9)', 'GET /\r\n\r\n', 400, 'request line'],
  ['no target', line('GET HTTP/1.1'), 400, ''],
  ['empty target', line('GET  HTTP/1.1'), 400, 'request line'],
  ['two spaces before the version', line('GET /  HTTP/1.1'), 400, 'version'],
  ['tab for space', line('GET\t/ HTTP/1.1'), 400, 'method'],
  ['tab before the version', line('GET /\tHTTP/1.1'), 400, 'request line'],
  ['space in the target', line('GET /a b HTTP/1.1'), 400, 'version'],
  ['trailing space', line('GET / HTTP/1.1 '), 400, 'version'],
  ['trailing word', line('GET / HTTP/1.1 x'), 400, 'version'],
  ['method that is no token', line('GE(T) / HTTP/1.1'), 400, 'method'],
  ['colon in the method', line('GET: / HTTP/1.1'), 400, 'method'],
  ['high byte in the method', line('G\xc9T / HTTP/1.1'), 400, 'method'],
  ['lower-case version', line('GET / http/1.1'), 400, 'version'],
  ['mixed-case version', line('GET / Http/1.1'), 400, 'version'],
  ['no slash in the version', line('GET / HTTP1.1'), 400, 'version'],
  ['comma in the version', line('GET / HTTP/1,1'), 400, 'version'],
  ['two digits', line('GET / HTTP/1.10'), 400, 'version'],
  ['padded version', line('GET / HTTP/01.1'), 400, 'version'],
  ['no minor', line('GET / HTTP/1'), 400, 'version'],
  ['space in the version', line('GET / HTTP/ 1.1'), 400, 'version'],
  ['other protocol', line('GET / ICY/1.1'), 400, 'version'],
  ['HTTP/2.0', line('GET / HTTP/2.0'), 505, 'version 2.0'],
  ['HTTP/3.0', line('GET / HTTP/3.0'), 505, 'version 3.0'],
  ['HTTP/0.9', line('GET / HTTP/0.9'), 505, 'version 0.9'],
  ['HTTP/1.2', line('GET / HTTP/1.2'), 505, 'version 1.2'],
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'version 2.0'],
  ['NUL in the target', line('GET /\0 HTTP/1.1'), 400, 'request line'],
  ['control byte in the target', line('GET /\x01 HTTP/1.1'), 400, 'request line'],
  ['DEL in the target', line('GET /\x7f HTTP/1.1'), 400, 'percent-encoded'],
  ['raw UTF-8 in the target', line('GET /caf\xc3\xa9 HTTP/1.1'), 400, 'percent-encoded'],
  ['fragment', line('GET /a#b HTTP/1.1'), 400, 'fragment'],
];

const TARGETS: readonly Row[] = [
  ['relative path', line('GET a/b HTTP/1.1'), 400, 'neither a path nor'],
  ['query only', line('GET ?a HTTP/1.1'), 400, 'neither a path nor'],
  ['asterisk with GET', line('GET * HTTP/1.1'), 400, 'target "*"'],
  ['asterisk and more', line('OPTIONS *x HTTP/1.1'), 400, 'neither a path nor'],
  ['CONNECT authority', line('CONNECT a.test:443 HTTP/1.1'), 405, 'CONNECT'],
  ['CONNECT with a path', line('CONNECT /a HTTP/1.1'), 405, 'CONNECT'],
  ['authority form with GET', line('GET a.test:80 HTTP/1.1'), 400, 'neither a path nor'],
  ['ftp URL', line('GET ftp://a.test/ HTTP/1.1'), 400, 'neither a path nor'],
  ['javascript URL', line('GET javascript:alert(1) HTTP/1.1'), 400, 'neither a path nor'],
  ['one slash', line('GET http:/a.test/ HTTP/1.1'), 400, 'neither a path nor'],
  ['no host in the URL', line('GET http:///x HTTP/1.1'), 400, 'invalid host in the target'],
  ['port only in the URL', line('GET http://:80/ HTTP/1.1'), 400, 'invalid host in the target'],
  ['user in the URL', line('GET http://u@a.test/ HTTP/1.1'), 400, 'user information in the target'],
  ['user and password', line('GET http://u:p@a.test/ HTTP/1.1'), 400, 'user information in the target'],
  ['host after a fake user', line('GET http://a.test@b.test/ HTTP/1.1'), 400, 'user information in the target'],
  ['backslash for slash', line('GET http://a.test\\@b.test/ HTTP/1.1'), 400, ''],
  ['bad port in the URL', line('GET http://a.test:99999/ HTTP/1.1'), 400, 'invalid port in the target'],
  ['letters as port', line('GET http://a.test:http/ HTTP/1.1'), 400, 'invalid port in the target'],
  ['URL differs from Host', line('GET http://b.test/ HTTP/1.1'), 400, 'differs from the host in the target'],
  ['URL port differs', line('GET http://a.test:81/ HTTP/1.1'), 400, 'differs from the host in the target'],
  ['percent in the URL host', line('GET http://a%2etest/ HTTP/1.1'), 400, 'invalid host in the target'],
  ['URL and no Host', 'GET http://a.test/ HTTP/1.1\r\n\r\n', 400, 'no Host'],
];

const HOSTS: readonly Row[] = [
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'no Host'],
  ['no Host, other fields', 'GET / HTTP/1.1\r\nX: y\r\n\r\n', 400, 'no Host'],
  ['two Hosts', get('Host: b.test\r\n'), 400, 'two Host fields'],
  ['two Hosts alike', get('Host: a.test\r\n'), 400, 'repeated Host'],
  ['two Hosts, other case', get('hOST: a.test\r\n'), 400, 'repeated Host'],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'two Host fields'],
  ['empty Host', host(''), 400, 'invalid host'],
  ['blank Host', host(' \t '), 400, 'invalid host'],
  ['list of hosts', host('a.test, b.test'), 400, 'invalid host'],
  ['space inside', host('a.test b.test'), 400, 'invalid host'],
  ['user in Host', host('u@a.test'), 400, 'user information'],
  ['path in Host', host('a.test/x'), 400, 'invalid host'],
  ['URL in Host', host('http://a.test'), 400, 'invalid'],
  ['port out of range', host('a.test:65536'), 400, 'invalid port'],
  ['port 0', host('a.test:0'), 400, 'invalid port'],
  ['padded port', host('a.test:080'), 400, 'invalid port'],
  ['empty port', host('a.test:'), 400, 'invalid port'],
  ['signed port', host('a.test:+80'), 400, 'invalid port'],
  ['two ports', host('a.test:80:81'), 400, 'invalid port'],
  ['port and more', host('a.test:80x'), 400, 'invalid port'],
  ['port only', host(':80'), 400, 'invalid host'],
  ['open bracket', host('[::1'), 400, 'invalid host'],
  ['bracket and more', host('[::1]x'), 400, 'invalid port'],
  ['no IPv6 in brackets', host('[a.test]'), 400, 'invalid host'],
  ['zone in IPv6', host('[fe80::1%25eth0]'), 400, 'invalid host'],
  ['IPv6 without brackets', host('::1'), 400, 'invalid host'],
  ['IPvFuture', host('[v1.x]'), 400, 'invalid host'],
  ['percent-encoded host', host('a%2etest'), 400, 'invalid host'],
  ['raw UTF-8 host', host('caf\xc3\xa9.test'), 400, 'invalid host'],
  ['two dots', host('a..test'), 400, 'invalid host'],
  ['leading dot', host('.a.test'), 400, 'invalid host'],
  ['too long', host('a'.repeat(256)), 400, 'invalid host'],
  ['asterisk', host('*.test'), 400, 'invalid host'],
];

const CHUNKS: readonly Row[] = [
  ['no size', chunked('\r\nhello\r\n'), 400, 'not a hexadecimal number'],
  ['signed size', chunked('+5\r\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['negative size', chunked('-5\r\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['0x size', chunked('0x5\r\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['size with g', chunked('5g\r\nhello\r\n'), 400, 'not a hexadecimal number'],
  ['space before the size', chunked(' 5\r\nhello\r\n'), 400, 'not a hexadecimal number'],
  ['space after the size', chunked('5 \r\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['tab after the size', chunked('5\t\r\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['underscore', chunked('1_0\r\nhello\r\n'), 400, 'not a hexadecimal number'],
  ['above 2^53', chunked('20000000000000\r\nhello'), 400, 'too large'],
  ['2^64 + 5, which wraps to 5', chunked('10000000000000005\r\nhello'), 400, 'too large'],
  ['endless zeros', chunked(`${'0'.repeat(40)}5\r\nhello`), 400, 'too large'],
  ['LF after the size', chunked('5\nhello\r\n0\r\n\r\n'), 400, 'not a hexadecimal number'],
  ['CR without LF after the size', chunked('5\rhello'), 400, 'does not end in CRLF'],
  ['LF after the data', chunked('5\r\nhello\n0\r\n\r\n'), 400, 'chunk that does not end in CRLF'],
  ['data longer than its size', chunked('4\r\nhello\r\n0\r\n\r\n'), 400, 'chunk that does not end in CRLF'],
  ['CR without LF after the data', chunked('5\r\nhello\rX'), 400, 'chunk that does not end in CRLF'],
  ['LF in an extension', chunked('5;a\nhello\r\n'), 400, 'chunk extension'],
  ['LF in a quoted extension', chunked('5;a="\n"\r\nhello\r\n'), 400, 'chunk extension'],
  ['CR in a quoted extension', chunked('5;a="\r\n"\r\nhello\r\n'), 400, 'chunk extension'],
  ['NUL in an extension', chunked('5;a\0\r\nhello\r\n'), 400, 'chunk extension'],
  ['empty extension', chunked('5;\r\nhello\r\n'), 400, 'chunk extension'],
  ['extension without name', chunked('5;=b\r\nhello\r\n'), 400, 'chunk extension'],
  ['extension without value', chunked('5;a=\r\nhello\r\n'), 400, 'chunk extension'],
  ['space before an extension', chunked('5 ;a\r\nhello\r\n'), 400, 'not a hexadecimal number'],
  ['space in an extension', chunked('5; a=b\r\nhello\r\n'), 400, 'chunk extension'],
  ['text after a quoted value', chunked('5;a="b"c\r\nhello\r\n'), 400, 'chunk extension'],
  ['long extension', chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n`), 400, 'bytes of chunk extensions'],
  ['many long extensions', chunked(`1;${'a'.repeat(99)}\r\nx\r\n`.repeat(200)), 400, 'bytes of chunk extensions'],
  ['LF as last line', chunked('0\r\n\n'), 400, ''],
  ['LF after a trailer', chunked('0\r\nX: y\n\r\n\r\n'), 400, ''],
  ['CR alone as last line', chunked('0\r\n\rx'), 400, 'CRLF'],
];

const TRAILERS: readonly Row[] = [
  ['Content-Length', chunked('0\r\nContent-Length: 5\r\n\r\n'), 400, 'Content-Length in a trailer'],
  ['Transfer-Encoding', chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'), 400, 'Transfer-Encoding in a trailer'],
  ['Host', chunked('0\r\nHost: b.test\r\n\r\n'), 400, 'Host in a trailer'],
  ['host in lower case', chunked('0\r\nX: y\r\nhost: b.test\r\n\r\n'), 400, 'host in a trailer'],
  ['Connection', chunked('0\r\nConnection: close\r\n\r\n'), 400, 'Connection in a trailer'],
  ['Upgrade', chunked('0\r\nUpgrade: x\r\n\r\n'), 400, 'Upgrade in a trailer'],
  ['Authorization', chunked('0\r\nAuthorization: x\r\n\r\n'), 400, 'Authorization in a trailer'],
  ['Cookie', chunked('0\r\nCookie: x\r\n\r\n'), 400, 'Cookie in a trailer'],
  ['Expect', chunked('0\r\nExpect: 100-continue\r\n\r\n'), 400, 'Expect in a trailer'],
  ['X-Forwarded-For', chunked('0\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n'), 400, 'X-Forwarded-For in a trailer'],
  ['X_Forwarded_For', chunked('0\r\nX_Forwarded_For: 1.1.1.1\r\n\r\n'), 400, 'X_Forwarded_For in a trailer'],
  ['folded trailer', chunked('0\r\nX: y\r\n z\r\n\r\n'), 400, 'folded'],
  ['space before the colon', chunked('0\r\nX : y\r\n\r\n'), 400, 'whitespace'],
  ['control byte', chunked('0\r\nX: \x01\r\n\r\n'), 400, 'control byte'],
  ['oversized', chunked(`0\r\nX: ${'y'.repeat(300_000)}\r\n\r\n`), 431, 'larger than'],
  ['a pipelined request instead', chunked('0\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n'), 400, 'header name'],
];

const GROUPS: readonly (readonly [string, readonly Row[]])[] = [
  ['lengths', LENGTHS],
  ['transfer codings', CODINGS],
  ['field lines', LINES],
  ['request lines', START_LINES],
  ['targets', TARGETS],
  ['hosts', HOSTS],
  ['chunks', CHUNKS],
  ['trailers', TRAILERS],
];
/** Groups whose fault comes after a head that is in order. */
const AFTER_HEAD = new Set(['chunks', 'trailers']);

describe.each(GROUPS)('refused %s', (group, rows) => {
  it.each(rows)('%s', (name, raw, status, reason) => {
    // What follows must never be read as a request of its own.
    const bytes = `${raw}GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`;
    for (const cuts of [WHOLE, BY_BYTE, randomCuts(1), randomCuts(2), randomCuts(3)]) {
      const seen = feedRequests(bytes, { cuts });
      expect(seen.failure?.status).toBe(status);
      expect(seen.heads).toBe(AFTER_HEAD.has(group) ? 1 : 0);
      expect(seen.lines).not.toContain('end');
    }
    expect(feedRequests(bytes).failure?.reason, name).toContain(reason);
  });
});

it('has at least 150 rows', () => {
  expect(GROUPS.flatMap(([, rows]) => rows).length).toBeGreaterThanOrEqual(150);
});
