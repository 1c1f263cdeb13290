import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { backlogOf } from './backlog.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n';
const V4 = `${HEAD}   0: 0100007F:22B0 00000000:0000 0A 00000000:0000001F 00:00000000 00000000     0
   1: 00000000:20FB 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0
   2: 0100007F:22B0 0100007F:C350 01 00000000:000000FF 00:00000000 00000000     0\n`;
const V6 = `${HEAD}   0: ${'0'.repeat(32)}:22B0 ${'0'.repeat(32)}:0000 0A 00000000:00000003 00:00000000 00000000     0\n`;

const read = (file: string): string => (file.endsWith('6') ? V6 : V4);

test('who stands at a port is counted over all its sockets, connections are not', () => {
  expect(backlogOf(new Set([0x22b0]), read)).toBe(0x1f + 3);
  expect(backlogOf(new Set([0x22b0, 0x20fb]), read)).toBe(0x1f + 3 + 2);
});

test('a port without a socket, and a system that does not tell, are not known', () => {
  expect(backlogOf(new Set([1]), read)).toBeNull();
  const nothing = (): string => {
    throw new Error('ENOENT');
  };
  expect(backlogOf(new Set([0x22b0]), nothing)).toBeNull();
});

test.runIf(process.platform === 'linux')('the system’s own table is read', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(backlogOf(new Set([port]))).toBe(0);
  server.close();
});
