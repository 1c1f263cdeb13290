import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createSendQueues, GONE } from './send-queues.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

describe('a line of the table is found by', () => {
  test.each([
    ['IPv4', '192.0.2.7', '   3: 0100007F:1F90 070200C0:D431 01 0000ABCD:00000000 01:00000014 00000000'],
    [
      'IPv4 over IPv6',
      '::ffff:192.0.2.7',
      '   3: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF0000070200C0:D431 01 0000ABCD:00000000',
    ],
    [
      'IPv6',
      '2001:db8::1',
      '   3: 00000000000000000000000001000000:1F90 B80D0120000000000000000001000000:D431 01 0000ABCD:00000000',
    ],
  ])('%s', async (_, remoteAddress, line) => {
    const table = `${HEADER}   1: 00000000:1F90 00000000:0000 0A 00000000:00000000\n   2: 0100007F:1F90 080200C0:D431 01 00000001:00000000\n${line}\n`;
    const queues = createSendQueues(
      () => 0,
      (file) => (file.endsWith('6') ? Promise.reject(new Error('no IPv6')) : Promise.resolve(table)),
    );
    const socket = Object.assign(Object.create(null), { localPort: 8_080, remotePort: 54_321, remoteAddress });
    expect(await queues.of(socket, 1_000)).toBe(0xabcd);
    // Its listener is there, so it would be, too; of another listener's connections nothing is known.
    expect(await queues.of(Object.assign(Object.create(null), { ...socket, remotePort: 1 }), 0)).toBe(GONE);
    expect(await queues.of(Object.assign(Object.create(null), { ...socket, localPort: 1 }), 0)).toBeNull();
  });
});

test('the tables are read once for all who ask within a second', async () => {
  let reads = 0;
  let now = 5_000;
  const queues = createSendQueues(
    () => now,
    () => Promise.resolve(String((reads += 1))),
  );
  const socket = Object.assign(Object.create(null), { localPort: 1, remotePort: 2, remoteAddress: '127.0.0.1' });
  await Promise.all([queues.of(socket, 1_000), queues.of(socket, 1_000)]);
  expect(reads).toBe(2);
  now += 1_500;
  await queues.of(socket, 1_000);
  expect(reads).toBe(4);
});

test.runIf(process.platform === 'linux')(
  'the system tells of bytes that a peer does not read, and of none',
  async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const accepted = once(server, 'connection');
    const peer = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    const [socket]: Socket[] = await accepted;
    if (socket === undefined) throw new Error('nobody came');
    socket.on('error', () => {});
    expect(await createSendQueues().of(socket, 0)).toBe(0);
    socket.write(Buffer.alloc(32_000_000));
    await expect.poll(() => createSendQueues().of(socket, 0)).toBeGreaterThan(0);
    peer.destroy();
    socket.destroy();
    server.close();
  },
);
