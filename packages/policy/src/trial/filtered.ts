import type { BodyFilter, FilterMaker, FilterOutput } from '../body-filter.ts';

/** A body behind its filters. @throws what a filter failed with */
export async function filtered(makers: readonly FilterMaker[], body: Buffer): Promise<Buffer> {
  if (makers.length === 0) return body;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  const filters: BodyFilter[] = [];
  const last: FilterOutput = {
    body(chunk, start, end) {
      parts.push(Buffer.from(chunk.subarray(start, end)));
      return true;
    },
    end: () => resolve(Buffer.concat(parts)),
    drained: () => {},
    failed: reject,
  };
  const behind = (at: number): FilterOutput => ({
    body: (chunk, start, end) => (filters[at + 1] ?? last).body(chunk, start, end),
    end: () => (filters[at + 1] ?? last).end(),
    drained: () => {},
    failed: reject,
  });
  for (const [at, maker] of makers.entries()) filters[at] = maker.make(behind(at), false);
  const [first] = filters;
  if (body.length > 0) first?.body(body, 0, body.length);
  first?.end();
  return promise;
}
