/**
 * Responses of a hostile upstream: what is no response becomes an error page, what breaks off is cut so that nobody
 * takes it for whole, and no byte behind a response ever answers another request.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inLanes } from '../support/lanes.ts';
import { Places } from '../support/framing/places.ts';
import { RESPONSE_ROWS } from '../support/framing/response-rows.ts';
import { runResponseRow } from '../support/framing/run-responses.ts';
import type { RowResult } from '../support/framing/run-requests.ts';

const LANES = 6;
/** Places whose upstream speaks HTTP/1: six with HTTP/1 visitors (small segments aside), three with HTTP/2 visitors. */
const TRANSPORTS = 9;

let places: Places;
const results: RowResult[] = [];

beforeAll(async () => {
  places = await Places.open();
});
afterAll(async () => {
  await places?.close();
  const total = (pick: (result: RowResult) => readonly string[]): number =>
    results.reduce((sum, result) => sum + pick(result).length, 0);
  process.stdout.write(
    `framing, upstream responses: ${RESPONSE_ROWS.length} rows x ${TRANSPORTS} transports = ${results.length} runs; ` +
      `poisoned ${total((result) => result.smuggled)}, misrouted ${total((result) => result.misrouted)}, ` +
      `otherwise wrong ${total((result) => result.wrong)}\n`,
  );
});

describe('raw responses', () => {
  test.each(Array.from({ length: TRANSPORTS }, (_, index) => index))('transport %i', async (index) => {
    const all = [...places.http1, ...places.http2].filter(({ upstream, pieces }) => upstream === 'http1' && !pieces);
    const place = all[index];
    expect(all).toHaveLength(TRANSPORTS);
    if (place === undefined) throw new Error(`no transport ${index}`);
    const found = await inLanes(LANES, RESPONSE_ROWS, (row, number) => runResponseRow(places, place, row, number));
    results.push(...found);
    const problems = found.flatMap(({ row, smuggled, misrouted, wrong }) =>
      [...smuggled, ...misrouted, ...wrong].map((problem) => `${place.name}: ${row}: ${problem}`),
    );
    expect(problems).toEqual([]);
    expect(places.platform.output).not.toMatch(/failed inside the edge|uncaught/i);
  });

  test('nothing is left over', () => places.quiet());
});
