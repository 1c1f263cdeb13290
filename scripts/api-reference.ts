/**
 * Writes docs/api-reference.md from the definitions of the resources (`node scripts/node24.mjs
 * scripts/api-reference.ts`). A test holds the two against each other.
 */
import { writeFileSync } from 'node:fs';
import { renderApiReference } from './api-reference-page.ts';

writeFileSync(new URL('../docs/api-reference.md', import.meta.url), renderApiReference());
