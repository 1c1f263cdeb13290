import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, addressText } from './address.ts';
import { ProxyPreambleParser } from './parse.ts';
import { writeProxyPreamble } from './write.ts';

const v4 = { address: '192.0.2.7', port: 50_000 };
const web4 = { address: '198.51.100.1', port: 443 };
const v6 = { address: '2001:db8::7', port: 50_000 };

describe('writing', () => {
  test('version 1', () => {
    expect(writeProxyPreamble(1, v4, web4).toString()).toBe('PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n');
    expect(writeProxyPreamble(1, v6, web4).toString()).toBe('PROXY TCP6 2001:db8::7 ::ffff:198.51.100.1 50000 443\r\n');
    expect(writeProxyPreamble(1, { address: 'fe80::1%eth0', port: 1 }, web4).toString()).toBe('PROXY UNKNOWN\r\n');
  });

  test('version 2', () => {
    expect(writeProxyPreamble(2, v4, web4).toString('hex')).toBe(
      '0d0a0d0a000d0a515549540a2111000cc0000207c6336401c35001bb',
    );
    expect(writeProxyPreamble(2, v6, web4).toString('hex')).toBe(
      '0d0a0d0a000d0a515549540a2121002420010db800000000000000000000000700000000000000000000ffffc6336401c35001bb',
    );
    expect(writeProxyPreamble(2, { address: '', port: 0 }, web4).toString('hex')).toBe(
      '0d0a0d0a000d0a515549540a20000000',
    );
  });
});

describe('reading', () => {
  const port = fc.nat(65_535);
  const end = (address: fc.Arbitrary<string>) => fc.record({ address, port });
  const sameFamily = fc.oneof(fc.tuple(end(fc.ipV4()), end(fc.ipV4())), fc.tuple(end(fc.ipV6()), end(fc.ipV6())));

  test('gives back what was written, under any split, and leaves the rest', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<1 | 2>(1, 2),
        sameFamily,
        fc.array(fc.integer({ min: 1, max: 20 })),
        (version, [source, destination], cuts) => {
          const bytes = Buffer.concat([writeProxyPreamble(version, source, destination), Buffer.from('GET /')]);
          const parser = new ProxyPreambleParser();
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            const chunk = Buffer.from(bytes.subarray(at, at + cut));
            const result = parser.push(chunk);
            chunk.fill(0);
            if (result.kind === 'more') {
              at += cut;
              continue;
            }
            if (result.kind === 'invalid') throw new Error(result.reason);
            expect(bytes.subarray(at + result.used).toString()).toBe('GET /');
            expect(result.preamble.version).toBe(version);
            expect(result.preamble.source?.port).toBe(source.port);
            expect(canonical(result.preamble.source?.address)).toBe(canonical(source.address));
            expect(canonical(result.preamble.destination?.address)).toBe(canonical(destination.address));
            return;
          }
          throw new Error('never complete');
        },
      ),
      { numRuns: 200 },
    );
  });

  test('headers that say nothing about addresses', () => {
    expect(new ProxyPreambleParser().push(Buffer.from('PROXY UNKNOWN\r\nx'))).toEqual({
      kind: 'done',
      used: 15,
      preamble: { version: 1 },
    });
    const local = Buffer.from('0d0a0d0a000d0a515549540a20110003aabbcc', 'hex');
    expect(new ProxyPreambleParser().push(local)).toEqual({ kind: 'done', used: 19, preamble: { version: 2 } });
    const unix = Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a213100d8', 'hex'), Buffer.alloc(216)]);
    expect(new ProxyPreambleParser().push(unix)).toEqual({ kind: 'done', used: 232, preamble: { version: 2 } });
  });

  test('extra fields of version 2 are skipped', () => {
    const bytes = writeProxyPreamble(2, v4, web4);
    bytes.writeUInt16BE(12 + 5, 14);
    const result = new ProxyPreambleParser().push(Buffer.concat([bytes, Buffer.from('0400024142', 'hex')]));
    expect(result).toEqual({ kind: 'done', used: 33, preamble: { version: 2, source: v4, destination: web4 } });
  });

  test.each([
    ['no header', 'GET / HTTP/1.1\r\n', /does not begin/],
    ['another case', 'proxy TCP4', /does not begin/],
    ['a TLS hello', '\x16\x03\x01', /does not begin/],
    ['no end', `PROXY TCP4 ${'1'.repeat(120)}`, /longer than 107/],
    ['UDP', 'PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n', /unknown family/],
    ['IPv6 as TCP4', 'PROXY TCP4 ::1 ::1 1 2\r\n', /wrong form/],
    ['a leading zero', 'PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n', /port/],
    ['a port too large', 'PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n', /port/],
    ['two spaces', 'PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n', /six words/],
    ['a seventh word', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n', /six words/],
    ['a zone', 'PROXY TCP6 fe80::1%0 ::1 1 2\r\n', /wrong form/],
  ])('refuses %s', (_name, text, reason) => {
    const result = new ProxyPreambleParser().push(Buffer.from(text, 'latin1'));
    expect(result.kind === 'invalid' ? result.reason : result.kind).toMatch(reason);
  });

  test.each([
    ['version 1 in the binary form', '0d0a0d0a000d0a515549540a11110000', /version or command/],
    ['an unknown command', '0d0a0d0a000d0a515549540a22110000', /version or command/],
    ['too short', '0d0a0d0a000d0a515549540a2111000b', /too short/],
    ['too long', '0d0a0d0a000d0a515549540a2111ffff', /longer than 4096/],
    ['a broken signature', '0d0a0d0a000d0a515549540b', /does not begin/],
  ])('refuses %s', (_name, bytes, reason) => {
    const result = new ProxyPreambleParser().push(Buffer.from(bytes, 'hex'));
    expect(result.kind === 'invalid' ? result.reason : result.kind).toMatch(reason);
  });
});

describe('addresses', () => {
  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['1.2.3.4', '::ffff:102:304'],
  ])('%s is %s', (given, text) => {
    expect(addressText(addressBytes(given, 16))).toBe(text);
  });
});

function canonical(address: string | undefined): string {
  return address === undefined ? 'none' : addressBytes(address, 16).toString('hex');
}
