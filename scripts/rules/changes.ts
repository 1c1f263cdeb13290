/**
 * In control what is durable or online changes as a change (`change/`), so that nobody writes an undo by hand and nobody
 * decides on what somebody else has changed since. By text: who else calls the store's or the registry's writing methods.
 */
import { isCode, isTest, type Sources } from './sources.ts';

const WRITES = /\b(?:store|catalog|registry)\.(?:commit|apply|addSession)\(/g;
/** How often each may. */
const MAY: Readonly<Record<string, number>> = {
  'packages/control/src/change/hold.ts': 7,
  'packages/control/src/state/catalog.ts': 1,
  // A session that begins: there is nothing to take back.
  'packages/control/src/agents/sessions.ts': 1,
  // An empty commit, to hear whether the disk is back.
  'packages/control/src/look-again.ts': 1,
};

export function changeProblems(sources: Sources): readonly string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    if (!file.startsWith('packages/control/src/') || !isCode(file) || isTest(file)) continue;
    const calls = [...text.matchAll(WRITES)];
    for (const { index } of calls.slice(MAY[file] ?? 0)) {
      const line = text.slice(0, index).split('\n').length;
      problems.push(`${file}:${line}: writes past a change; decide on one and let change/change.ts carry it out`);
    }
  }
  return problems;
}
