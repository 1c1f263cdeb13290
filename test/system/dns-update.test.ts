/** Updates of records, against a name server that checks signatures by itself; BIND judges in test/system. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UpdateServer } from '../support/update-server.ts';
import { updateWay } from '@postern/acme';

const NAME = '_acme-challenge.tun.example.com';
const secret = randomBytes(32);
let server: UpdateServer;
let now = Date.now();

beforeEach(async () => {
  server = await UpdateServer.start({ zone: 'example.com', keyName: 'acme', hash: 'sha512', secret });
  now = Date.now();
});
afterEach(() => server.close());

const way = (more: { secret?: Buffer; name?: string; zone?: string; servers?: 'itself' } = {}) =>
  updateWay({
    server: { host: '127.0.0.1', port: server.port },
    key: { name: more.name ?? 'acme', algorithm: 'hmac-sha512', secret: more.secret ?? secret },
    zone: more.zone ?? '',
    now: () => now,
    nameServers: async () => (more.servers === undefined ? [] : [{ host: '127.0.0.1', port: server.port }]),
  });

test('a record comes into the zone that the server says it is in, beside others, and goes', async () => {
  const update = way({ servers: 'itself' });
  await update.present(NAME, 'one');
  await update.present(NAME, 'two');
  expect([...(server.records.get(NAME) ?? [])]).toEqual(['one', 'two']);
  await update.cleanup(NAME, 'one');
  expect([...(server.records.get(NAME) ?? [])]).toEqual(['two']);
  expect(server.log).toEqual([
    `udp add ${NAME} 16`,
    `udp ask ${NAME}`,
    `udp add ${NAME} 16`,
    `udp ask ${NAME}`,
    `udp delete ${NAME} 16`,
  ]);
});

test.each(['cut', 'silent by UDP'] as const)('by TCP where UDP is %s', async (mischief) => {
  server.mischief = mischief;
  await way({ zone: 'example.com' }).present(NAME, 'one');
  expect(server.log).toEqual([`tcp add ${NAME} 16`]);
});

test('what the server refuses is said in words', async () => {
  await expect(way({ secret: randomBytes(32) }).present(NAME, 'x')).rejects.toThrow(
    'the server has another secret for the key (acme)',
  );
  await expect(way({ name: 'other' }).present(NAME, 'x')).rejects.toThrow('the server does not know the key (other)');
  await expect(way({ zone: 'example.org' }).present(NAME, 'x')).rejects.toThrow('not in charge of the zone');
  server.code = 5;
  await expect(way().present(NAME, 'x')).rejects.toThrow('the key may not change that record');
  expect(server.records.size).toBe(0);
});

test('an answer of somebody who does not know the secret is not believed', async () => {
  const update = way({ zone: 'example.com' });
  server.mischief = 'unsigned';
  await expect(update.present(NAME, 'x')).rejects.toThrow('the answer is not signed');
  server.mischief = 'wrong signature';
  await expect(update.present(NAME, 'x')).rejects.toThrow('the signature of the answer is wrong');
});

test('a name server of the zone that does not have the record is waited for, and named in the end', async () => {
  const other = await UpdateServer.start({ zone: 'example.com', keyName: 'acme', hash: 'sha512', secret });
  try {
    const update = updateWay({
      server: { host: '127.0.0.1', port: server.port },
      key: { name: 'acme', algorithm: 'hmac-sha512', secret },
      zone: 'example.com',
      // The first look is in time, the second is not.
      now: () => (other.log.length < 2 ? now : now + 200_000),
      nameServers: async () => [{ host: '127.0.0.1', port: other.port }],
    });
    await expect(update.present(NAME, 'x')).rejects.toThrow('127.0.0.1 of example.com does not have the record yet');
    expect(other.log.length).toBeGreaterThanOrEqual(2);
  } finally {
    other.close();
  }
});
