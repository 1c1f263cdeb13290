/**
 * No regular expression of the product takes more than linear time, whatever a stranger sends; and none is built at run time: what a tenant's rule asks
 * for is compiled by re2js, which does not backtrack.
 */
import { parseSync } from 'oxc-parser';
import { growthOf } from './pattern-growth.ts';
import { isTest, type Sources } from './sources.ts';

/** By file and pattern, the reason why it may stay. */
const KNOWN: ReadonlyMap<string, string> = new Map([]);

export interface Pattern {
  readonly line: number;
  /** Undefined for one that is built at run time. */
  readonly source: string | undefined;
  readonly flags: string;
}

const CODE = /^packages\/[^/]+\/(?:src|web)\/.*\.tsx?$/;

/** Also the patterns of a KNOWN entry that no file holds any more. */
export function patternProblems(sources: Sources, known: ReadonlyMap<string, string> = KNOWN): readonly string[] {
  const problems: string[] = [];
  const met = new Set<string>();
  for (const [file, text] of sources) {
    if (!CODE.test(file) || isTest(file) || !MAY_HOLD_ONE.test(text)) continue;
    for (const { line, source, flags } of patternsOf(file, text)) {
      const where = `${file}:${line}`;
      if (source === undefined) problems.push(`${where}: builds a regular expression at run time`);
      else {
        const name = `${file} ${source}`;
        const growth = growthOf(source, flags);
        if (growth !== undefined && !known.has(name)) problems.push(`${where}: /${source}/ ${growth}`);
        if (growth !== undefined) met.add(name);
      }
    }
  }
  for (const name of known.keys())
    if (sources.has(name.split(' ', 1)[0] ?? '') && !met.has(name))
      problems.push(`scripts/rules/patterns.ts: nothing is known any more of ${name}`);
  return problems;
}

const MAY_HOLD_ONE = /\/[^/\n]+\/|RegExp/;

export function patternsOf(file: string, text: string): readonly Pattern[] {
  const found: Pattern[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const { type, start, regex, callee } = node as Node;
    const line = (): number => text.slice(0, start).split('\n').length;
    if (type === 'Literal' && regex) found.push({ line: line(), source: regex.pattern, flags: regex.flags });
    if ((type === 'NewExpression' || type === 'CallExpression') && callee?.name === 'RegExp')
      found.push({ line: line(), source: undefined, flags: '' });
    Object.values(node).forEach(visit);
  };
  visit(parseSync(file, text).program);
  return found;
}

/** What of an ESTree node matters here. */
interface Node {
  readonly type?: string;
  readonly start?: number;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: string };
}
