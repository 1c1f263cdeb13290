/**
 * The rules of HTTP/1 heads for requests that come over HTTP/2: nothing that HTTP/1 could read in two ways passes, and
 * broken frames cost their connection alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inLanes } from '../support/lanes.ts';
import { H2_ROWS } from '../support/framing/h2-rows.ts';
import { Places } from '../support/framing/places.ts';
import { runH2Row } from '../support/framing/run-h2.ts';
import type { RowResult } from '../support/framing/run-requests.ts';

const LANES = 6;
const TRANSPORTS = 4;

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
    `framing, HTTP/2 requests: ${H2_ROWS.length} rows x ${TRANSPORTS} transports = ${results.length} runs; ` +
      `smuggled ${total((result) => result.smuggled)}, misrouted ${total((result) => result.misrouted)}, ` +
      `otherwise wrong ${total((result) => result.wrong)}\n`,
  );
});

describe('raw frames', () => {
  test.each(Array.from({ length: TRANSPORTS }, (_, index) => index))('transport %i', async (index) => {
    expect(places.http2).toHaveLength(TRANSPORTS);
    const place = places.http2[index];
    if (place === undefined) throw new Error(`no transport ${index}`);
    const found = await inLanes(LANES, H2_ROWS, (row, number) => runH2Row(places, place, row, number));
    results.push(...found);
    const problems = found.flatMap(({ row, smuggled, misrouted, wrong }) =>
      [...smuggled, ...misrouted, ...wrong].map((problem) => `${place.name}: ${row}: ${problem}`),
    );
    expect(problems).toEqual([]);
    expect(places.platform.process.exitCode).toBeNull();
    expect(places.platform.output).not.toMatch(/failed inside the edge|uncaught/i);
  });

  test('nothing is left over', () => places.quiet());
});
