/**
 * Responses of a hostile upstream: what is no response becomes an error page, what breaks off is cut so that nobody
 * takes it for whole, and no byte behind a response ever answers another request.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inLanes } from '../support/lanes.ts';
import { Places } from '../support/framing/places.ts';
import { H2_ANSWERS } from '../support/framing/h2-answers.ts';
import type { Findings } from '../support/framing/judge.ts';
import { passes } from '../support/framing/response-row.ts';
import { RESPONSE_ROWS } from '../support/framing/response-rows.ts';
import { compare, runResponseRow, visitHostile } from '../support/framing/run-responses.ts';
import type { RowResult } from '../support/framing/run-requests.ts';

const LANES = 6;
/** Places whose upstream speaks HTTP/1: six with HTTP/1 visitors (small segments aside), three with HTTP/2 visitors. */
const TRANSPORTS = 9;

let places: Places;
let hostile: Awaited<ReturnType<Places['openHostileHttp2']>> | undefined;
let hostileRuns = 0;
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
      `otherwise wrong ${total((result) => result.wrong)}\n` +
      `framing, HTTP/2 upstream: ${H2_ANSWERS.length} rows x 2 kinds of visitors = ${hostileRuns} runs\n`,
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

  test.each(['HTTP/1', 'HTTP/2'])('frames of an HTTP/2 upstream, for %s visitors', async (visitor) => {
    hostile ??= await places.openHostileHttp2();
    const place = visitor === 'HTTP/1' ? hostile.http1 : hostile.http2;
    const problems: string[] = [];
    for (const row of H2_ANSWERS) {
      const findings: Findings = { smuggled: [], misrouted: [], wrong: [] };
      const got = await visitHostile(places, place, row);
      compare(got.first, row.verdict, findings);
      // The connection of the visitor outlives a broken connection of the upstream.
      compare(got.canary, passes(), findings);
      if (got.first?.body.includes('POISON') === true) findings.smuggled.push('POISON');
      problems.push(...[...findings.smuggled, ...findings.wrong].map((problem) => `${row.name}: ${problem}`));
      hostileRuns += 1;
    }
    expect(problems).toEqual([]);
    expect(places.platform.output).not.toMatch(/failed inside the edge|uncaught/i);
  });

  test('nothing is left over', () => places.quiet());
});
