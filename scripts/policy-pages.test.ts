/**
 * docs/policy has a page for every action that this build runs. What a page shows is so: its policy compiles, and its
 * requests have the verdicts that stand there (in the words of `postern policy test`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ACTIONS, builtAction, type DocumentPhase } from '@postern/policy/schema';
import { judge, readPolicyTests, tryPolicy } from '@postern/policy/trial';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'docs', 'policy');
const BUILT = ACTIONS.map(({ type }) => type).filter((type) => builtAction(type) !== undefined);
const SECTIONS = ['## Fields', '## Results', '## Specified, chosen, not known', '## Example'];

const pages = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => [name.slice(0, -3), readFileSync(path.join(folder, name), 'utf8')]),
);
const table = readFileSync(path.join(root, 'docs', 'traffic-policy.md'), 'utf8');

interface Example {
  readonly policy: string;
  /** A file of tests without its policy; '' = there is none. */
  tests: string;
}

/** YAML blocks of a page: each policy, and the tests behind it. */
function examplesIn(page: string): Example[] {
  const examples: Example[] = [];
  for (const [, block = ''] of page.matchAll(/^```yaml\n(.*?)^```$/gms)) {
    const last = examples.at(-1);
    if (!/^tests:/m.test(block)) examples.push({ policy: block, tests: '' });
    else if (last !== undefined) last.tests = block;
  }
  return examples;
}

function fieldsOf(type: string): string[] {
  const action = ACTIONS.find((one) => one.type === type);
  const built = action === undefined ? undefined : builtAction(action.type);
  const shapes = (action?.phases ?? []).flatMap((phase: DocumentPhase) => {
    const config: unknown = built?.config(phase);
    const def: unknown = Reflect.get(Object(config), 'def');
    return Object.keys(Object(Reflect.get(Object(def), 'shape')));
  });
  return [...new Set(shapes)];
}

test('every action has its page, and every page its action', () => {
  expect([...pages.keys()].toSorted()).toEqual(BUILT.toSorted());
});

describe.each([...pages])('%s', (type, page) => {
  test('names every field, in sections that all pages have, and stands in the table', () => {
    expect(page.startsWith(`# ${type}\n`)).toBe(true);
    expect(SECTIONS.filter((title) => !page.includes(`\n${title}\n`))).toEqual([]);
    const fields = page.slice(page.indexOf('## Fields'), page.indexOf('## Results'));
    expect(fieldsOf(type).filter((name) => !fields.includes(`\`${name}\``))).toEqual([]);
    expect(table).toContain(`| [${type}](policy/${type}.md) `);
  });

  test.each(examplesIn(page).map((one, index) => [index + 1, one] as const))('example %i', async (_, one) => {
    expect(one.tests, 'what comes of the example').not.toBe('');
    const { tests } = readPolicyTests(one.tests, Date.UTC(2026, 0, 1));
    for (const { name, path: at, options, given, expect: expected } of tests) {
      const trial = await tryPolicy(one.policy, options, given);
      expect({ test: name || at, misses: judge(trial, expected), notes: trial.notes }).toEqual({
        test: name || at,
        misses: [],
        notes: [],
      });
    }
  });

  test('has an example', () => {
    expect(examplesIn(page).length).toBeGreaterThan(0);
  });
});
