import { describe, expect, it } from 'vitest';
import {
  chunkHeader,
  CHUNK_END,
  encodeRequestHead,
  encodeResponseHead,
  encodeTrailers,
  LAST_CHUNK,
  requestHeadText,
  responseHeadText,
} from './encode.ts';

describe('writers', () => {
  it('write heads', () => {
    expect(encodeRequestHead('GET', '/x?y', ['Host', 'a', 'X', '']).toString('latin1')).toBe(
      'GET /x?y HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n',
    );
    expect(requestHeadText('OPTIONS', '*', [], 0)).toBe('OPTIONS * HTTP/1.0\r\n\r\n');
    expect(encodeResponseHead(200, 'OK', ['A', 'caf\xe9']).toString('latin1')).toBe(
      'HTTP/1.1 200 OK\r\nA: caf\xe9\r\n\r\n',
    );
    expect(responseHeadText(404, '', [], 0)).toBe('HTTP/1.0 404 \r\n\r\n');
  });

  it('write one byte per char', () => {
    expect(encodeResponseHead(200, '', ['A', '\xe9\xff'])).toHaveLength('HTTP/1.1 200 \r\nA: xx\r\n\r\n'.length);
  });

  it('write chunk framing', () => {
    expect(chunkHeader(255) + CHUNK_END.toString() + LAST_CHUNK.toString()).toBe('ff\r\n\r\n0\r\n\r\n');
    expect(encodeTrailers([])).toBe(LAST_CHUNK);
    expect(encodeTrailers(['A', 'b']).toString()).toBe('0\r\nA: b\r\n\r\n');
    expect(() => chunkHeader(0)).toThrow('at least one byte');
    expect(() => chunkHeader(-1)).toThrow('at least one byte');
    expect(() => chunkHeader(1.5)).toThrow('at least one byte');
  });
});

describe('injection', () => {
  const evil = ['\r', '\n', '\0', '\x7f', '\x1b', '\u010d\u010a', '\ud83d\ude00'];

  it.each(evil)('refuses %j everywhere', (bytes) => {
    expect(() => requestHeadText('GET', '/', ['X', `a${bytes}b`])).toThrow('value of the header X');
    expect(() => requestHeadText('GET', '/', [`X${bytes}`, 'a'])).toThrow('not a token');
    expect(() => requestHeadText(`GET${bytes}`, '/', [])).toThrow('method');
    expect(() => requestHeadText('GET', `/${bytes}`, [])).toThrow('target');
    expect(() => responseHeadText(200, `OK${bytes}`, [])).toThrow('reason');
    expect(() => responseHeadText(200, '', ['X', bytes])).toThrow('value of the header X');
    expect(() => encodeTrailers(['X', bytes])).toThrow('value of the header X');
  });

  it.each(['', 'a b', 'a:', ' a', 'a\t', 'é', '(a)'])('refuses the name %j', (name) => {
    expect(() => requestHeadText('GET', '/', [name, 'a'])).toThrow('not a token');
  });

  it.each([99, 1_000, 200.5, Number.NaN, -200])('refuses the status %d', (status) => {
    expect(() => responseHeadText(status, '', [])).toThrow('three digits');
  });

  it.each(['', '/a b', '/a#b', '/\xe9'])('refuses the target %j', (target) => {
    expect(() => requestHeadText('GET', target, [])).toThrow('target');
  });
});
