import { describe, expect, test } from 'vitest';
import { edgeHarness } from '../testing/edge-harness.ts';
import { connectAddresses } from './connect-addresses.ts';

describe('other addresses for a second leg', () => {
  const points = { names: ['a.test', 'b.test', 'localhost'], ports: () => [4443, 4444] };

  test.each([
    ['a.test', ['a.test:4443', 'a.test:4444', 'b.test:4443', 'b.test:4444']],
    ['b.test', ['b.test:4443', 'b.test:4444', 'a.test:4443', 'a.test:4444']],
    ['localhost', ['localhost:4443', 'localhost:4444']],
    ['2001:db8::1', expect.arrayContaining(['[2001:db8::1]:4443', 'a.test:4444'])],
    ['', []],
  ])('who dialled %s is offered %j', (host, addresses) => {
    expect(connectAddresses(points, { host, port: 4443 })).toEqual(addresses);
  });

  test('where there is one address, Auth answers none', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    expect((await agent.auth()).error).toBeUndefined();
  });
});
