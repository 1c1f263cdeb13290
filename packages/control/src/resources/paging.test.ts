import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { POLICY, useStore } from '../testing/harness.ts';

const fresh = useStore();

test('paging while rows of all types come and go: none twice, none lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('cloud', 'agent', 'edge'), { minLength: 1, maxLength: 14 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat({ max: 40 }), { maxLength: 6 }),
      async (kinds, limit, disturbances) => {
        const h = await fresh();
        const { endpoints, edges } = h.control.api;
        const session = await h.connect();
        let counter = 0;
        const removals: (() => Promise<unknown>)[] = [];

        const add = async (kind: string): Promise<string> => {
          counter += 1;
          const host = `n${counter}.example.test`;
          if (kind === 'cloud') {
            const { id } = await endpoints.create(h.caller, { url: `https://${host}`, trafficPolicy: POLICY });
            removals.push(() => endpoints.remove(h.caller, id));
            return id;
          }
          if (kind === 'agent') {
            const bound = await h.bind(session, { domain: host });
            removals.push(() => h.link.unbind(session.sessionId, bound.id));
            return bound.tunnelId.replace('tn_', 'ep_');
          }
          const edge = await edges.create(h.caller, 'https', { hostports: [`${host}:443`] });
          removals.push(() => edges.remove(h.caller, 'https', edge.id));
          const rows = (await endpoints.list(h.caller, { limit: 100 })).items;
          return rows.find((row) => row.edge?.id === edge.id)?.id ?? '';
        };

        const staying: string[] = [];
        const doomed: (() => Promise<unknown>)[] = [];
        for (const [index, kind] of kinds.entries()) {
          const id = await add(kind);
          const removal = removals.pop();
          if (index % 3 === 2 && removal !== undefined) doomed.push(removal);
          else staying.push(id);
        }

        const seen: string[] = [];
        let beforeId: string | undefined;
        for (let page = 0; ; page += 1) {
          const query = beforeId === undefined ? { limit } : { limit, beforeId };
          const { items, more } = await endpoints.list(h.caller, query);
          seen.push(...items.map(({ id }) => id));
          beforeId = items.at(-1)?.id;
          if (!more) break;
          expect(items.length).toBe(limit);
          const disturbance = disturbances[page];
          if (disturbance === undefined) continue;
          if (disturbance % 2 === 0) await doomed.pop()?.();
          else await add(['cloud', 'agent', 'edge'][disturbance % 3] ?? 'cloud');
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(seen.toSorted((a, b) => (a < b ? 1 : -1)));
        for (const id of staying) expect(seen).toContain(id);
      },
    ),
    { numRuns: 12 },
  );
});

test('ids and urls select; a deleted id may still be the cursor', async () => {
  const h = await fresh();
  const { endpoints } = h.control.api;
  const made = [];
  for (const name of ['a', 'b', 'c']) {
    made.push(await endpoints.create(h.caller, { url: `https://${name}.example.test`, trafficPolicy: POLICY }));
  }
  const [a, b, c] = made.map(({ id }) => id);
  if (a === undefined || b === undefined || c === undefined) throw new Error('three endpoints were made');
  const ids = async (query: object) =>
    (await endpoints.list(h.caller, { limit: 10, ...query })).items.map(({ id }) => id);
  expect(await ids({ ids: [a, c] })).toEqual([c, a]);
  expect(await ids({ urls: ['https://b.example.test'] })).toEqual([b]);
  expect(await ids({ urls: ['https://b.example.test:8443'] })).toEqual([b]);
  await endpoints.remove(h.caller, b);
  expect(await ids({ beforeId: b })).toEqual([a]);
});
