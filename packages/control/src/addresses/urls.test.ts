import type { Binding } from '@postern/link';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONFIG } from '../testing/harness.ts';
import { apiUrlError, agentUrlError } from './problems.ts';
import { formatUrl, inferBinding, parseEndpointUrl, placeUrl, visitorView, type Address } from './urls.ts';

function place(url: string, binding?: Binding): Address | number {
  const parsed = parseEndpointUrl(url);
  if (!parsed.ok) return apiUrlError(url, parsed.problem).number;
  const placed = placeUrl(parsed.value, binding ?? inferBinding(parsed.value.host), CONFIG);
  return placed.ok ? placed.value : apiUrlError(url, placed.problem).number;
}

describe('a URL becomes an address', () => {
  test.each([
    ['https://app.example.com', 'https://app.example.com', 443],
    ['HTTPS://App.Example.COM', 'https://app.example.com', 443],
    ['https://app.example.com:443', 'https://app.example.com', 443],
    ['https://app.example.com:8443', 'https://app.example.com:8443', 8443],
    ['http://app.example.com:80', 'http://app.example.com', 80],
    ['http://app.example.com:8880', 'http://app.example.com:8880', 8880],
    ['tls://app.example.com:443', 'tls://app.example.com', 443],
    ['https://*.example.com', 'https://*.example.com', 443],
    ['https://postern.localhost', 'https://postern.localhost', 443],
    ['tcp://localhost:20003', 'tcp://localhost:20003', 20_003],
    ['TCP://LocalHost:20003', 'tcp://localhost:20003', 20_003],
    ['https://a.b.c.d.e.internal', 'https://a.b.c.d.e.internal', 443],
    ['https://app.internal:9000', 'https://app.internal:9000', 9000],
    ['http://*.internal:1', 'http://*.internal:1', 1],
    ['tcp://db.internal:5432', 'tcp://db.internal:5432', 5432],
    ['https://xn--mnchen-3ya.example', 'https://xn--mnchen-3ya.example', 443],
  ])('%s', (given, url, port) => {
    expect(place(given)).toMatchObject({ url, port });
  });

  test.each([
    ['http://svc.ns', 'http://svc.ns', 80],
    ['tls://svc.ns:9443', 'tls://svc.ns:9443', 9443],
    ['tcp://svc.ns:5432', 'tcp://svc.ns:5432', 5432],
  ])('%s for kubernetes', (given, url, port) => {
    expect(place(given, 'kubernetes')).toMatchObject({ url, port, binding: 'kubernetes' });
  });
});

describe('a URL is refused with the published code', () => {
  test.each([
    ['app.example.com', 18022],
    ['ftp://app.example.com', 18022],
    ['://app.example.com', 18022],
    ['https://', 249],
    ['https:///', 9038],
    ['https://a b.example.com', 249],
    ['https://a.example.com\n', 249],
    ['https://[::1]', 249],
    ['https://app.example.com/', 9038],
    ['https://app.example.com/path', 9038],
    ['https://app.example.com?x=1', 18001],
    ['https://app.example.com#x', 18001],
    ['https://user@app.example.com', 18001],
    ['https://app.example.com:0', 18003],
    ['https://app.example.com:', 18003],
    ['https://app.example.com:https', 18003],
    ['https://app.example.com:65536', 18003],
    ['https://app.example.com:0443', 18003],
    ['https://app.example.com:444', 18023],
    ['http://app.example.com:443', 18023],
    ['tcp://localhost', 18003],
    ['tcp://localhost:19999', 18023],
    ['tcp://elsewhere.example.com:20001', 18006],
    ['https://localhost', 18001],
    ['https://10.0.0.1', 18001],
    ['https://app_1.example.com', 18001],
    ['https://-app.example.com', 18001],
    ['https://app-.example.com', 18001],
    ['https://a..example.com', 18001],
    ['https://a.example.com.', 18001],
    ['https://ab--c.example.com', 18001],
    ['https://xn--a.example.com', 18001],
    ['https://münchen.example', 18001],
    ['https://app.*.com', 18001],
    ['https://a*.example.com', 18001],
    [`https://${'a'.repeat(64)}.example.com`, 18001],
    [`https://${'a.'.repeat(127)}com`, 18001],
    ['https://connect.postern.localhost', 18001],
    ['https://a.b.c.d.e.f.internal', 18001],
    ['https://internal', 18001],
    ['tcp://db.internal', 18003],
  ])('%s → %i', (url, number) => {
    expect(place(url)).toBe(number);
  });

  test.each([
    ['https://app.internal', 'public', 18007],
    ['https://app.example.com', 'internal', 18007],
    ['https://svc.ns', 'kubernetes', 18018],
    ['http://svc.ns.cluster', 'kubernetes', 18007],
    ['http://svc', 'kubernetes', 18007],
    ['http://*.ns', 'kubernetes', 18007],
    ['tcp://svc.ns', 'kubernetes', 18003],
  ] as const)('%s as %s → %i', (url, binding, number) => {
    expect(place(url, binding)).toBe(number);
  });

  test('every problem has words for the API and for agents', () => {
    for (const url of ['x', 'https://a/', 'https://a.b:1', 'tcp://a:1', 'https://a..b']) {
      const parsed = parseEndpointUrl(url);
      const placed = parsed.ok ? placeUrl(parsed.value, 'public', CONFIG) : parsed;
      if (placed.ok) throw new Error(`${url} should be refused`);
      expect(apiUrlError(url, placed.problem).message).not.toMatch(/[{}]/);
      expect(agentUrlError(url, placed.problem).message).not.toMatch(/[{}]/);
    }
  });
});

test.each([
  ['https', 'app.example.com', 443, 'https://app.example.com:8443', 'app.example.com:8443'],
  ['https', 'app.example.com', 8443, 'https://app.example.com:8443', 'app.example.com:8443'],
  ['http', 'app.example.com', 80, 'http://app.example.com:8880', 'app.example.com:8880'],
  ['tcp', 'localhost', 20_001, 'tcp://localhost:20001', 'localhost:20001'],
] as const)('what a visitor opens: %s %s %i', (scheme, host, port, publicUrl, hostport) => {
  expect(visitorView({ scheme, binding: 'public', host, port }, CONFIG)).toMatchObject({ publicUrl, hostport });
});

test('with the standard ports a visitor opens what was written', () => {
  const plan = { publicHttpPort: 80, publicHttpsPort: 443 };
  expect(visitorView({ scheme: 'https', binding: 'public', host: 'h.example', port: 443 }, plan)).toEqual({
    publicUrl: 'https://h.example',
    port: 443,
    hostport: 'h.example:443',
  });
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => text.slice(2, 4) !== '--');

test('normal form is stable: an accepted URL, written back, is the same address', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('http', 'https', 'tls'),
      fc.array(label, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', ':80', ':443', ':8443', ':8880'),
      fc.boolean(),
      (scheme, labels, port, upper) => {
        const written = `${scheme}://${labels.join('.')}.example${port}`;
        const address = place(upper ? written.toUpperCase() : written);
        if (typeof address === 'number') {
          expect(address).toBe(18_023);
          return;
        }
        expect(place(address.url)).toEqual(address);
        expect(address.url).toBe(formatUrl(address.scheme, address.host, address.port));
      },
    ),
  );
});

test('any text is either an address or a published code, never an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((text) => `https://${text}`),
      ),
      fc.constantFrom('public', 'internal', 'kubernetes'),
      (text, binding) => {
        const result = place(text, binding);
        if (typeof result !== 'number') expect(result.host).toMatch(/^[a-z0-9.*-]+$/);
      },
    ),
  );
});
