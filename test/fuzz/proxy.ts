/** The two headers that stand before a connection's bytes: ours to agents, and a balancer's to us. */
import { isPosternError } from '@postern/errors';
import {
  encodeProxyHeader,
  type ProxyHeader,
  ProxyHeaderReader,
  type ProxyPreamble,
  ProxyPreambleParser,
  writeProxyPreamble,
} from '@postern/protocol';
import { cut, materialOf, mutatedOf, showChunks } from './mutate.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

/** What came out, and how many bytes it took. */
type Read<T> = { readonly value: T; readonly used: number } | 'more' | 'refused';

const HEADER: ProxyHeader = {
  id: '4f2a',
  clientAddr: '[2001:db8::1]:50123',
  proto: 'https',
  edgeType: '1',
  passthroughTls: true,
};
const HEADERS = materialOf(
  [
    encodeProxyHeader(HEADER),
    Buffer.concat([encodeProxyHeader({ ...HEADER, proto: 'tcp', edgeType: '0' }), Buffer.from('GET / HTTP/1.1\r\n')]),
    '\x02\0\0\0\0\0\0\0{}rest',
    '\x10\0\0\0\0\0\0\0{"Proto":"http"}',
    '\xff\xff\xff\xff\xff\xff\xff\xff{}',
    '\0\0\x01\0\0\0\0\0{"Id":1}',
    '\x1e\0\0\0\0\0\0\0{"proto":"tls","Id":null,"x":1}',
  ],
  ['\0\0\0\0', '\x01\0\0\0', '"', '{', '}', 'null', 'true', '[]', '"Proto":"tcp"', '"Id"', '\\u0000', '1e999', ','],
);

export const proxyHeaderTarget: FuzzTarget = fuzzTarget<readonly Buffer[]>(
  'proxy-header',
  (dice) => cut(mutatedOf(HEADERS, dice), dice),
  (chunks) => {
    const read = readHeader(chunks);
    mustEqual(readHeader([Buffer.concat(chunks)]), read, 'another reading when cut');
    if (typeof read === 'string') return;
    const again = readHeader([encodeProxyHeader(read.value)]);
    mustEqual(typeof again === 'string' ? again : again.value, read.value, 'another reading when sent on');
  },
  showChunks,
);

function readHeader(chunks: readonly Buffer[]): Read<ProxyHeader> {
  const reader = new ProxyHeaderReader();
  let before = 0;
  for (const chunk of chunks) {
    let used: number;
    try {
      used = reader.push(chunk);
    } catch (error) {
      if (isPosternError(error) && error.number === 109) return 'refused';
      throw error;
    }
    if (used >= 0) {
      must(used <= chunk.length && reader.header !== undefined, 'an offset out of range');
      return { value: reader.header as ProxyHeader, used: before + used };
    }
    must(used === -1 && reader.header === undefined, 'a header before it is complete');
    before += chunk.length;
  }
  return 'more';
}

const V2 = '\r\n\r\n\0\r\nQUIT\n';
const PREAMBLES = materialOf(
  [
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\nGET / HTTP/1.1\r\n',
    'PROXY TCP6 2001:db8::1 ::1 1 65535\r\n',
    'PROXY UNKNOWN\r\nx',
    'PROXY UNKNOWN ffff:f...f:ffff 1 2\r\n',
    `${V2}\x21\x11\0\x0c\x7f\0\0\x01\x0a\0\0\x02\x1f\x90\x01\xbbrest`,
    `${V2}\x21\x21\0\x24${'\x20\x01\x0d\xb8'.padEnd(15, '\0')}\x01${'\0'.repeat(15)}\x01\x1f\x90\x01\xbbrest`,
    `${V2}\x21\x11\0\x15\x7f\0\0\x01\x0a\0\0\x02\x1f\x90\x01\xbb\x04\0\x06foobarrest`,
    `${V2}\x20\0\0\0rest`,
    `${V2}\x21\x31\0\x04pathrest`,
    `${V2}\x21\x11\x10\x01`,
    'PROXY TCP4 192.0.2.1 198.51.100.2 0443 443\r\n',
    'GET / HTTP/1.1\r\n',
  ],
  [
    'PROXY ',
    'TCP4',
    'TCP6',
    'UNKNOWN',
    ' ',
    '\r\n',
    '\r',
    '\n',
    '::',
    '127.0.0.1',
    '65536',
    V2,
    '\x21',
    '\x11',
    '\0\x0c',
    '%',
  ],
);

export const proxyPreambleTarget: FuzzTarget = fuzzTarget<readonly Buffer[]>(
  'proxy-preamble',
  (dice) => cut(mutatedOf(PREAMBLES, dice), dice),
  (chunks) => {
    const read = readPreamble(chunks);
    mustEqual(readPreamble([Buffer.concat(chunks)]), read, 'another reading when cut');
    if (typeof read === 'string') return;
    const { version, source, destination } = read.value;
    if (source === undefined || destination === undefined) return;
    const again = readPreamble([writeProxyPreamble(version, source, destination)]);
    must(typeof again !== 'string', 'cannot be sent on');
    const plain = (one: ProxyPreamble): unknown => [one.version, canonical(one.source), canonical(one.destination)];
    if (typeof again !== 'string') mustEqual(plain(again.value), plain(read.value), 'another reading when sent on');
  },
  showChunks,
);

/** An address of version 1 may be written in several ways. */
function canonical(one: ProxyPreamble['source']): unknown {
  if (one === undefined || !one.address.includes(':')) return one;
  return { port: one.port, address: new URL(`http://[${one.address}]/`).hostname };
}

function readPreamble(chunks: readonly Buffer[]): Read<ProxyPreamble> {
  const parser = new ProxyPreambleParser();
  let before = 0;
  for (const chunk of chunks) {
    const result = parser.push(chunk);
    if (result.kind === 'invalid') return 'refused';
    if (result.kind === 'done') {
      must(result.used >= 0 && result.used <= chunk.length, 'an offset out of range');
      return { value: result.preamble, used: before + result.used };
    }
    before += chunk.length;
  }
  return 'more';
}
