import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderFailureModes } from './failure-modes-page.ts';

test('docs/failure-modes.md explains every row of the error table, and no other code', () => {
  const page = readFileSync(new URL('../docs/failure-modes.md', import.meta.url), 'utf8');
  expect(page).toBe(renderFailureModes());
});
