import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderApiReference } from './api-reference-page.ts';

test('docs/api-reference.md says what the definitions say', () => {
  const page = readFileSync(new URL('../docs/api-reference.md', import.meta.url), 'utf8');
  expect(page).toBe(renderApiReference());
});
