/** The rules of the house that no linter knows; part of `npm run check`. Prints what breaks them; exit code 1 then. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { changeProblems } from './rules/changes.ts';
import { circleProblems } from './rules/circles.ts';
import { citationProblems } from './rules/citations.ts';
import { importProblems } from './rules/imports.ts';
import { lengthProblems } from './rules/lengths.ts';
import { memberProblems } from './rules/members.ts';
import { patternProblems } from './rules/patterns.ts';
import { wordProblems } from './rules/words.ts';
import { readSources } from './rules/sources.ts';

const sources = readSources(fileURLToPath(new URL('..', import.meta.url)));
const problems = [
  importProblems,
  changeProblems,
  circleProblems,
  lengthProblems,
  memberProblems,
  citationProblems,
  patternProblems,
  wordProblems,
].flatMap((rule) => rule(sources));
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
