/**
 * Writes docs/failure-modes.md from the error table (`node scripts/node24.mjs scripts/failure-modes.ts`). A test holds
 * the two against each other, so that the page can neither lack a code nor explain one that is never sent.
 */
import { writeFileSync } from 'node:fs';
import { renderFailureModes } from './failure-modes-page.ts';

writeFileSync(new URL('../docs/failure-modes.md', import.meta.url), renderFailureModes());
