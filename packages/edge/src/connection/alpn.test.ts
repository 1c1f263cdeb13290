import { expect, test } from 'vitest';
import { chooseForService, serviceAlpn } from './alpn.ts';

test.each([
  ['any', ['h2'], 'h2'],
  ['any', ['h2', 'http/1.1'], 'http/1.1'],
  ['h2', ['http/1.1', 'h2'], 'h2'],
  ['h2', ['http/1.1'], 'http/1.1'],
  ['any', ['grpc-exp', 'h2'], 'h2'],
  ['any', ['mqtt', 'postgresql'], 'mqtt'],
] as const)('for a service that speaks %s, of %j', (wanted, offered, chosen) => {
  expect(chooseForService(wanted, offered)).toBe(chosen);
});

test('one upstream that speaks HTTP/2 makes it the first choice', () => {
  expect(serviceAlpn([{ protocol: 'http1' }, { protocol: 'http2' }])).toBe('h2');
  expect(serviceAlpn([{ protocol: 'http1' }])).toBe('any');
  expect(serviceAlpn([])).toBe('any');
});
