import { describe, expect, test } from 'vitest';
import { normalizeTarget, parseServerAddr, parseUpstream } from './target.ts';

describe('normalizeTarget', () => {
  test.each([
    ['3000', 'http://localhost:3000'],
    ['443', 'https://localhost:443'],
    ['example.com:443', 'https://example.com:443'],
    ['localhost:3000', 'http://localhost:3000'],
    ['10.0.0.2', 'http://10.0.0.2:80'],
    ['[::1]:80', 'http://[::1]:80'],
    ['http://localhost', 'http://localhost:80'],
    ['https://localhost:8443/', 'https://localhost:8443'],
    ['https://', 'https://localhost:443'],
    ['HTTPS://Host:1', 'https://Host:1'],
    [' 8080 ', 'http://localhost:8080'],
  ])('http: %s', (given, wanted) => {
    expect(normalizeTarget(given)).toBe(wanted);
  });

  test.each([
    ['22', 'tcp', 'tcp://localhost:22'],
    ['db.local:5432', 'tcp', 'tcp://db.local:5432'],
    ['443', 'tls', 'tcp://localhost:443'],
    ['tls://localhost:8443', 'tls', 'tls://localhost:8443'],
  ] as const)('%s of %s', (given, proto, wanted) => {
    expect(normalizeTarget(given, proto)).toBe(wanted);
  });

  test.each([
    ['', 'http', /empty/],
    ['0', 'http', /ports are 1 to 65535/],
    ['70000', 'http', /ports are 1 to 65535/],
    ['localhost:', 'http', /not a port, host:port, or URL/],
    ['http://localhost:1/path', 'http', /without a path/],
    ['ftp://localhost:1', 'http', /scheme ftp/],
    ['file:///srv', 'http', /does not serve files/],
    ['::1:80', 'http', /not a port/],
    ['[zz]:80', 'http', /not a port/],
    ['[1:2]:80', 'http', /not an IPv6 address/],
    ['localhost', 'tcp', /no port/],
    ['http://localhost:1', 'tcp', /web address/],
  ] as const)('refuses "%s" for %s', (given, proto, message) => {
    expect(() => normalizeTarget(given, proto)).toThrow(message);
  });
});

test('what it returns can be taken apart', () => {
  expect(parseUpstream(normalizeTarget('[::1]:3000'))).toEqual({ scheme: 'http', host: '::1', port: 3000 });
  expect(parseUpstream('tls://h:1')).toEqual({ scheme: 'tls', host: 'h', port: 1 });
  expect(() => parseUpstream('tcp://h')).toThrow(/no port/);
  expect(() => parseUpstream('h:1')).toThrow(/not of the form/);
});

test('server addresses', () => {
  expect(parseServerAddr('example.com')).toEqual({ host: 'example.com', port: 443 });
  expect(parseServerAddr('[::1]:4443')).toEqual({ host: '::1', port: 4443 });
  expect(() => parseServerAddr('https://x')).toThrow(/not a port/);
});
