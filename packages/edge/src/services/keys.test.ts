import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PublishedKeys } from './keys.ts';
import type { OutsideProblem, OutsideRequest } from './outside.ts';

const pair = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const jwk = (kid: string, key = pair(), more: object = {}): object => ({
  ...key.export({ format: 'jwk' }),
  kid,
  ...more,
});

function published(keys: object[]) {
  const asked: OutsideRequest[] = [];
  const clock = { now: 0 };
  const publisher: { keys: object[]; down: OutsideProblem | null; wait: Promise<void> } = {
    keys,
    down: null,
    wait: Promise.resolve(),
  };
  const outside = {
    async get(request: OutsideRequest) {
      asked.push(request);
      await publisher.wait;
      return publisher.down ?? Buffer.from(JSON.stringify({ keys: publisher.keys }));
    },
  };
  const service = new PublishedKeys(outside, () => clock.now);
  const names = async (kid = '', url = 'https://a.test/jwks', endpoint = 'ep_1'): Promise<unknown> => {
    const found = await service.at(url, kid, endpoint);
    return 'problem' in found ? found.problem : found.map((key) => key.kid).join(' ');
  };
  return { service, asked, clock, publisher, names };
}
const MINUTE = 60_000;

describe('published keys', () => {
  it('are asked for once by all who need them, and given at once while they are fresh', async () => {
    const { service, asked, clock, names } = published([jwk('k1', pair(), { alg: 'ES256' })]);
    expect(await Promise.all([names('k1'), names('k1'), names()])).toEqual(['k1', 'k1', 'k1']);
    expect(asked).toMatchObject([{ endpointId: 'ep_1', limit: 256 * 1024, timeoutMs: 5_000 }]);
    clock.now += 14 * MINUTE;
    expect(service.at('https://a.test/jwks', 'k1', 'ep_2')).toMatchObject([{ kid: 'k1', alg: 'ES256' }]);
    clock.now += 2 * MINUTE;
    await names('k1');
    expect(asked).toHaveLength(2);
  });

  it('are asked for again when one is unknown, twice a minute at most', async () => {
    const { asked, clock, publisher, names } = published([jwk('k1')]);
    await names('k1');
    publisher.keys = [jwk('k1'), jwk('k2')];
    expect(await names('k2')).toBe('k1');
    expect(asked).toHaveLength(1);
    clock.now += MINUTE / 2;
    expect(await Promise.all([names('k2'), names('k2'), names('k1')])).toEqual(['k1 k2', 'k1 k2', 'k1']);
    for (let n = 0; n < 1000; n++) await names(`made up ${n}`);
    expect(asked).toHaveLength(2);
  });

  it('hold for an hour more while nobody answers, and then there are none', async () => {
    const { asked, clock, publisher, names } = published([jwk('k1')]);
    await names();
    publisher.down = { problem: 'it answered 500' };
    clock.now += 16 * MINUTE;
    expect(await names('k1')).toBe('k1');
    expect(await names('k1')).toBe('k1');
    expect(asked).toHaveLength(2);
    clock.now += 60 * MINUTE;
    expect(await names('k1')).toBe('it answered 500');
    expect(await names('k1')).toBe('it answered 500');
    expect(asked).toHaveLength(3);
    publisher.down = null;
    clock.now += MINUTE / 2;
    expect(await names('k1')).toBe('k1');
  });

  it('are public keys for signatures, of kinds and sizes that cost little to check', async () => {
    const rsa = (bits: number): KeyObject => generateKeyPairSync('rsa', { modulusLength: bits }).publicKey;
    const { names } = published([
      jwk('good', rsa(2_048)),
      jwk('', generateKeyPairSync('ed25519').publicKey),
      jwk('small', rsa(1_024)),
      { kty: 'RSA', kid: 'huge', n: Buffer.alloc(2_000, 0xff).toString('base64url'), e: 'AQAB' },
      { kty: 'oct', kid: 'shared', k: 'c2VjcmV0' },
      jwk('for encryption', pair(), { use: 'enc' }),
      { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'a', y: 'b' },
    ]);
    expect(await names()).toBe('good ');
  });

  it.each(['[]', 'no JSON', '{"keys":1}', 'null'])('are not read from %s', async (text) => {
    const service = new PublishedKeys({ get: () => Promise.resolve(Buffer.from(text)) }, () => 0);
    expect(await service.at('https://a.test/', '', 'ep_1')).toMatchObject({ problem: expect.stringMatching(/answer/) });
    expect(await service.at('no url', '', 'ep_1')).toEqual({ problem: 'it is no address' });
  });

  it('of an endpoint that asks for many sets push out its own', async () => {
    const { asked, names } = published([jwk('k1')]);
    await names('', 'https://others.test/', 'ep_2');
    for (let n = 0; n < 1000; n++) await names('', `https://${n}.test/`, 'ep_flood');
    expect(asked).toHaveLength(1001);
    await names('', 'https://others.test/', 'ep_2');
    await names('', 'https://999.test/', 'ep_flood');
    expect(asked).toHaveLength(1001);
    await names('', 'https://0.test/', 'ep_flood');
    expect(asked).toHaveLength(1002);
  });
});
