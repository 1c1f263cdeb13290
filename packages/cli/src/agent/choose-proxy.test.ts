import { describe, expect, test } from 'vitest';
import { proxyChooser } from './choose-proxy.ts';

const server = 'connect.example.com:4443';

test('one that is named leads everywhere, false nowhere', () => {
  const env = { HTTPS_PROXY: 'http://env:1', NO_PROXY: '*' };
  expect(proxyChooser('socks5://named:1', env)(server)).toBe('socks5://named:1');
  expect(proxyChooser('socks5://named:1', env)('localhost:4443')).toBe('socks5://named:1');
  expect(proxyChooser('false', { HTTPS_PROXY: 'http://env:1' })(server)).toBeUndefined();
});

test('else the environment says it, never for this machine', () => {
  const choose = proxyChooser(undefined, { http_proxy: 'http://older:1', all_proxy: 'socks5://all:1' });
  expect(choose(server)).toBe('socks5://all:1');
  expect(proxyChooser(undefined, { http_proxy: 'http://older:1', HTTPS_PROXY: '' })(server)).toBe('http://older:1');
  expect(proxyChooser(undefined, {})(server)).toBeUndefined();
  // A server of the web may set this one for its own scripts from a header of a request.
  expect(proxyChooser(undefined, { HTTP_PROXY: 'http://evil:1' })(server)).toBeUndefined();
  for (const own of ['localhost:4443', '127.0.0.1:4443', '[::1]:4443', 'connect.postern.localhost:4443'])
    expect(choose(own)).toBeUndefined();
});

describe('NO_PROXY', () => {
  test.each([
    ['example.com', server, true],
    ['.example.com', server, true],
    ['*.example.com', server, true],
    ['EXAMPLE.com:4443', server, true],
    ['example.com:443', server, false],
    ['ample.com', server, false],
    ['other.test, connect.example.com', server, true],
    ['*', server, true],
    ['10.0.0.0/8', '10.1.2.3:4443', true],
    ['10.0.0.0/8', '11.1.2.3:4443', false],
    ['10.0.0.0/99', '10.1.2.3:4443', false],
    ['10.1.2.3', '10.1.2.3:4443', true],

    ['fd00::/8', '[fd00::1]:4443', true],
    ['[fd00::1]:4443', '[fd00::1]:4443', true],
    ['fd00::1', '[fd00::1]:4443', true],
    ['example.com', 'example.com', true],
    ['example.com:443', 'example.com', true],
    ['', server, false],
  ])('%s for %s', (exceptions, address, isDirect) => {
    const choose = proxyChooser(undefined, { HTTPS_PROXY: 'http://env:1', NO_PROXY: exceptions });
    expect(choose(address)).toBe(isDirect ? undefined : 'http://env:1');
  });
});
