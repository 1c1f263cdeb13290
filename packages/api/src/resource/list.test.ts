import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BASE, createApiUnderTest, idsOf } from '../testing/api-under-test.ts';
import { endpointView, idOf } from '../testing/fake-control.ts';

async function withEndpoints(count: number) {
  const api = await createApiUnderTest();
  for (let n = 1; n <= count; n += 1) {
    const type = n % 5 === 0 ? 'ephemeral' : 'cloud';
    api.endpoints.push(endpointView({ id: idOf('ep', n), url: `https://h${n}.example.com`, type }));
  }
  /** Follows next_page_uri to the end; the ids of each page. */
  const follow = async (target: string, between?: (page: number) => void): Promise<string[][]> => {
    const pages: string[][] = [];
    let next: string | null = target;
    while (next !== null) {
      // oxlint-disable-next-line no-await-in-loop
      const { status, json } = await api.ask(`GET ${next}`);
      expect(status).toBe(200);
      pages.push(idsOf(json['endpoints']));
      const uri = z.string().startsWith(`${BASE}/endpoints?before_id=ep_`).nullable().parse(json['next_page_uri']);
      next = uri === null ? null : uri.slice(BASE.length);
      between?.(pages.length);
    }
    return pages;
  };
  return { ...api, follow };
}

const expected = (count: number, keep: (n: number) => boolean = () => true): string[] =>
  Array.from({ length: count }, (_none, index) => count - index)
    .filter(keep)
    .map((n) => idOf('ep', n));

describe('paging', () => {
  it('gives each row once, newest first, and no empty page', async () => {
    const { follow } = await withEndpoints(250);
    const pages = await follow('/endpoints');
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(pages.flat()).toEqual(expected(250));
    const tens = await follow('/endpoints?limit=50');
    expect(tens.map(({ length }) => length)).toEqual([50, 50, 50, 50, 50]);
  });

  it('carries limit, filter, id and url on verbatim', async () => {
    const { ask } = await withEndpoints(9);
    const { json } = await ask(
      'GET /endpoints?url=a%2Bb&limit=4&before_id=ep_zzz&id=ep_1&filter=obj.port%3D%3D443&url=',
    );
    expect(json['next_page_uri']).toBe(
      `${BASE}/endpoints?before_id=${idOf('ep', 6)}&url=a%2Bb&limit=4&id=ep_1&filter=obj.port%3D%3D443&url=`,
    );
    expect(json['uri']).toBe(`${BASE}/endpoints`);
  });

  it('neither loses nor repeats rows while others come and go', async () => {
    const { follow, endpoints } = await withEndpoints(120);
    const pages = await follow('/endpoints?limit=20', (page) => {
      endpoints.push(endpointView({ id: idOf('ep', 1_000 + page), url: 'https://new.example.com' }));
      endpoints.splice(
        endpoints.findIndex(({ id }) => id === idOf('ep', page)),
        1,
      );
    });
    expect(pages.flat()).toEqual(expected(120, (n) => n > 5));
  });

  it('fills pages of a filter and ends without an empty one', async () => {
    const { follow, ask } = await withEndpoints(250);
    const agents = '/endpoints?limit=10&filter=obj.type%20%3D%3D%20%22agent%22';
    const pages = await follow(agents);
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 10, 10, 10]);
    expect(pages.flat()).toEqual(expected(250, (n) => n % 5 === 0));
    const none = await ask('GET /endpoints?filter=obj.port+%3D%3D+1');
    expect(none.json).toEqual({ endpoints: [], uri: `${BASE}/endpoints`, next_page_uri: null });
  });

  it('takes beforeId, as the npm client pages', async () => {
    const { ask } = await withEndpoints(9);
    const { json } = await ask(`GET /endpoints?limit=2&beforeId=${idOf('ep', 4)}`);
    expect(idsOf(json['endpoints'])).toEqual([idOf('ep', 3), idOf('ep', 2)]);
  });

  it('does not offer a next page after rows that vanished', async () => {
    const { control, ask } = await withEndpoints(0);
    control.endpoints.list = async () => ({ items: [], more: true });
    expect((await ask('GET /endpoints')).json['next_page_uri']).toBeNull();
    expect((await ask('GET /endpoints?filter=true')).json['next_page_uri']).toBeNull();
  });
});
