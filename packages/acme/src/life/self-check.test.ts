import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { addressesOf, checkHttp } from './self-check.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

describe('where a name leads is not reached unless it is public, or this machine', () => {
  test.each([
    '10.0.0.1',
    '169.254.169.254',
    '192.168.1.1',
    '172.16.0.9',
    '100.64.0.1',
    '0.0.0.0',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    // IPv4 carried inside (6to4, Teredo), and what is for documents and relays.
    '2002:a00:1::1',
    '2001:0:a00:1::1',
    '2001:db8::1',
    '192.0.2.1',
    '192.88.99.1',
    '203.0.113.9',
  ])('%s', async (address) => {
    expect(await addressesOf('a.test', async () => ['93.184.215.14', address])).toBe(
      `it leads to ${address}, which is no public address`,
    );
  });

  test('public addresses and our own are', async () => {
    expect(await addressesOf('a.test', async () => ['93.184.215.14', '127.0.0.1', '2606:2800::1'])).toHaveLength(3);
    expect(await addressesOf('a.test', async () => [])).toBe('it has no address yet');
    expect(await addressesOf('a.test', () => Promise.reject(new Error('NXDOMAIN')))).toBe('it has no address yet');
  });
});

test('only the word is taken for yes, whatever else is said there, and however much', async () => {
  const server = createServer((request, response) => {
    const { host = '' } = request.headers;
    if (request.url !== '/.well-known/acme-challenge/token') return response.writeHead(404).end();
    if (host === 'endless.test') return response.end('x'.repeat(10_000_000));
    return response.end(host === 'ours.test' ? 'word' : 'another');
  }).listen(0, '127.0.0.1');
  undo.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const httpPort = typeof address === 'object' && address !== null ? address.port : 0;
  const checking = { resolve: async () => [], httpPort, httpsPort: 0 };
  const ask = (name: string, token = 'token') => checkHttp(checking, name, ['127.0.0.1'], token, 'word');
  expect(await ask('ours.test')).toBeNull();
  expect(await ask('theirs.test')).toBe('127.0.0.1 is another server: it answers 200');
  expect(await ask('endless.test')).toContain('another server');
  expect(await ask('ours.test', 'other')).toBe('127.0.0.1 is another server: it answers 404');
  const nobody = { ...checking, httpPort: 1 };
  expect(await checkHttp(nobody, 'ours.test', ['127.0.0.1'], 'token', 'word')).toBe(
    '127.0.0.1 port 1: nobody listens there',
  );
});
