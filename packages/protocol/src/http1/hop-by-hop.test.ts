import { describe, expect, it } from 'vitest';
import { originForm, parseAbsoluteTarget, parseAuthority } from './authority.ts';
import { connectionTokens, endToEndFields, isHopByHop } from './hop-by-hop.ts';

describe('hop-by-hop fields', () => {
  it('are known by name', () => {
    expect(['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'].every(isHopByHop)).toBe(true);
    expect(['trailer', 'host', 'content-length', 'via', 'sec-websocket-key'].some(isHopByHop)).toBe(false);
  });

  it('are nominated by Connection, but not those that guard or route', () => {
    expect([
      ...connectionTokens(['Connection', 'close, X-Hop', 'A', 'b', 'connection', 'Host, x-Two,Authorization']),
    ]).toEqual(['x-hop', 'x-two']);
    expect(connectionTokens(['A', 'b']).size).toBe(0);
    expect(connectionTokens(['Connection', 'a b'])).toBe(connectionTokens([]));
  });

  it('are left out', () => {
    const fields = [
      'Host',
      'a',
      'Connection',
      'X-Hop, upgrade',
      'X-Hop',
      '1',
      'TE',
      'trailers',
      'Upgrade',
      'h2c',
      'B',
      'c',
    ];
    expect(endToEndFields(fields)).toEqual(['Host', 'a', 'B', 'c']);
  });
});

describe('targets', () => {
  it('go to an origin in origin form', () => {
    expect(originForm('GET', '/a?b')).toBe('/a?b');
    expect(originForm('GET', 'http://a.test/x?y')).toBe('/x?y');
    expect(originForm('GET', 'https://a.test')).toBe('/');
    expect(originForm('GET', 'http://a.test?y')).toBe('/?y');
    expect(originForm('OPTIONS', 'http://a.test')).toBe('*');
    expect(originForm('OPTIONS', 'http://a.test/')).toBe('/');
    expect(originForm('OPTIONS', '*')).toBe('*');
  });

  it('are read for callers that do not want errors', () => {
    expect(parseAbsoluteTarget('HTTPS://A.test:8443/x')).toEqual({
      scheme: 'https',
      authority: 'a.test:8443',
      path: '/x',
      bare: false,
    });
    expect(parseAbsoluteTarget('http://u@a/')).toBe(null);
    expect(parseAbsoluteTarget('/x')).toBe(null);
    expect(parseAuthority('A.test:1')).toBe('a.test:1');
    expect(parseAuthority('a.test:0')).toBe(null);
  });
});
