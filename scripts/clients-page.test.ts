/** docs/compatibility.md shows what the last run of each client gave. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readResults, withTable } from '../test/clients/harness/page.ts';

const page = readFileSync(new URL('../docs/compatibility.md', import.meta.url), 'utf8');

test('the table of clients is made of their results', () => {
  expect(withTable(page, readResults())).toBe(page);
});

test('every cell is a success, or says why it is asked of nobody', () => {
  for (const [client, duties] of Object.entries(readResults()))
    for (const [duty, { outcome, why }] of Object.entries(duties))
      if (outcome !== 'passed')
        expect({ client, duty, outcome, why }).toMatchObject({ outcome: 'cannot', why: expect.stringMatching(/./) });
});
