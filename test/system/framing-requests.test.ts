/**
 * HTTP framing over every way from a visitor to an origin: what two servers could read in two ways is refused and never
 * arrives; what is accepted arrives once, with framing that leaves nothing open; canaries on the same and on a new
 * connection get their own answers.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inLanes } from '../support/lanes.ts';
import { type Place, Places } from '../support/framing/places.ts';
import { ROWS_OF_HEADS } from '../support/framing/rows-of-heads.ts';
import { ROWS_OF_LENGTHS } from '../support/framing/rows-of-lengths.ts';
import { type RowResult, runRequestRow } from '../support/framing/run-requests.ts';

const ROWS = [...ROWS_OF_LENGTHS, ...ROWS_OF_HEADS];
const LANES = 6;
/** As `Places` has them. */
const TRANSPORTS = 9;

const rowsFor = (place: Place): typeof ROWS => ROWS.filter((row) => place.upstream === 'http1' || !row.http1Only);

let places: Places;
const results: RowResult[] = [];
let ways = 0;

beforeAll(async () => {
  places = await Places.open();
});
afterAll(async () => {
  await places?.close();
  const total = (pick: (result: RowResult) => readonly string[]): number =>
    results.reduce((sum, result) => sum + pick(result).length, 0);
  process.stdout.write(
    `framing, HTTP/1 requests: ${ROWS.length} rows x ${ways} transports = ${results.length} runs; ` +
      `smuggled ${total((result) => result.smuggled)}, misrouted ${total((result) => result.misrouted)}, ` +
      `otherwise wrong ${total((result) => result.wrong)}\n`,
  );
});

test('there are at least 150 rows, each with a name of its own', () => {
  expect(ROWS.length).toBeGreaterThanOrEqual(150);
  expect(new Set(ROWS.map(({ group, name }) => `${group}: ${name}`)).size).toBe(ROWS.length);
});

describe('raw requests', () => {
  test.each(Array.from({ length: TRANSPORTS }, (_, index) => index))('transport %i', async (index) => {
    const place = places.http1[index];
    if (place === undefined) throw new Error(`no transport ${index}`);
    ways += 1;
    const found = await inLanes(LANES, rowsFor(place), (row, number) => runRequestRow(places, place, row, number));
    results.push(...found);
    const problems = found.flatMap(({ row, smuggled, misrouted, wrong }) =>
      [...smuggled, ...misrouted, ...wrong].map((problem) => `${place.name}: ${row}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  test('without Postern in between, the same rows find requests smuggled and framing in doubt', async () => {
    const originPort = await places.origin.listen();
    const direct: Place = {
      name: 'nothing in between',
      index: 99,
      host: 'direct.test',
      door: { host: '127.0.0.1', port: originPort },
      originPort,
      upstream: 'http1',
      pieces: false,
    };
    const rows = ROWS.filter(({ group }) => group === 'codings');
    // Some are never answered; the others are soon, if this process, which has both sides, does not stand still.
    const found = await inLanes(rows.length, rows, (row, number) => runRequestRow(places, direct, row, number, 3_000));
    expect(found.flatMap(({ smuggled }) => smuggled).length).toBeGreaterThan(20);
    expect(found.flatMap(({ wrong }) => wrong).length).toBeGreaterThan(20);
  });

  test('every transport was tried, nothing is left over, and the server never fell over', async () => {
    await places.quiet();
    expect(ways).toBe(places.http1.length);
    expect(places.platform.process.exitCode).toBeNull();
    expect(places.platform.output).not.toMatch(/failed inside the edge|uncaught/i);
  });
});
