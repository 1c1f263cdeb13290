import { describe, expect, it } from 'vitest';
import type { Keys } from '../../services.ts';
import { ALL, asked, PAIRS, present, published, says, short, tokenOf, URL_1, URL_2 } from './testing.ts';

describe('sets of keys', () => {
  const two = { urls: [URL_1, URL_2] };

  it('are asked in order, until one has the key', async () => {
    expect(await says(tokenOf(), two)).toBe('204');
    expect(asked).toHaveLength(1);
    const elsewhere = { ...two, sets: { [URL_1]: [published('ES256', PAIRS.ES384)], [URL_2]: ALL } };
    expect(await says(tokenOf(), elsewhere)).toBe('204');
    expect(asked).toEqual([`${URL_1} ES256 ep_1`, `${URL_2} ES256 ep_1`]);
  });

  it('that cannot be had do not refuse a token of another set, and are no fault of the visitor', async () => {
    const down = { problem: 'it answered 500' };
    expect(await says(tokenOf(), { ...two, sets: { [URL_1]: down, [URL_2]: ALL } })).toBe('204');
    const { outcome, context } = await present(tokenOf(), { ...two, sets: { [URL_1]: down, [URL_2]: [] } });
    expect(short(outcome)).toBe('500 3422');
    expect(context.warnings).toEqual([
      'on_http_request[0].actions[0].config.jws.keys.sources.additional_jkus[0]: the set of keys could not be had: it answered 500',
    ]);
    expect(JSON.stringify(outcome)).not.toContain('answered');
  });

  it('may be named by an expression, which has to have a value', async () => {
    const urls = ["https://${req.headers['x-tenant'][0]}.test/jwks.json"];
    const headers = [['authorization', `Bearer ${tokenOf()}`]] as const;
    expect(await says(null, { urls, facts: { headers: [...headers, ['x-tenant', 'issuer']] } })).toBe('204');
    expect(await says(null, { urls, facts: { headers } })).toBe('500 2238');
  });

  it('are not waited for when the visitor has left', async () => {
    const visitor = new AbortController();
    const keys: Keys = { at: () => new Promise(() => {}) };
    const going = present(tokenOf(), {
      facts: { headers: [['authorization', `Bearer ${tokenOf()}`]], services: { keys }, signal: visitor.signal },
    });
    setImmediate(() => visitor.abort());
    expect(short((await going).outcome)).toBe('close');
  });
});
