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

  it('that are not here hold up no token of one that is', async () => {
    const ready = published('ES256', PAIRS.ES256);
    const keys: Keys = { at: (url) => (url === URL_1 ? new Promise(() => {}) : [ready]) };
    const headers = [['authorization', `Bearer ${tokenOf()}`]] as const;
    expect(await says(null, { ...two, facts: { headers, services: { keys } } })).toBe('204');
  });

  it('are asked for three at a time, and all of them before a token is refused', async () => {
    const urls = Array.from({ length: 6 }, (_, index) => `https://issuer-${index}.test/jwks.json`);
    let underWay = 0;
    let most = 0;
    const keys: Keys = {
      async at(url) {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        return url === urls[5] ? [published('ES256', PAIRS.ES256)] : [];
      },
    };
    const headers = [['authorization', `Bearer ${tokenOf()}`]] as const;
    expect(await says(null, { urls, facts: { headers, services: { keys } } })).toBe('204');
    const another = [['authorization', `Bearer ${tokenOf({ header: { kid: 'x' } })}`]] as const;
    expect(await says(null, { urls, facts: { headers: another, services: { keys } } })).toBe('401 3401');
    expect(most).toBe(3);
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

  it('that are there let nothing go on for a visitor who is not', async () => {
    const headers = [['authorization', `Bearer ${tokenOf()}`]] as const;
    expect(await says(null, { facts: { headers, signal: AbortSignal.abort() } })).toBe('close');
  });
});
