/**
 * Text → plain value: JSON when it is JSON, else YAML (core schema). Bounded in size, nesting and aliases before
 * anything walks the result. Browser-safe.
 */
import { fail } from '@postern/errors';
import { parseDocument } from 'yaml';

/** Bytes of UTF-8. */
export const MAX_POLICY_BYTES = 64 * 1024;
const MAX_NESTING = 64;
const MAX_ALIASES = 100;

/** @throws PosternError 90031 (too large) or 2236 (neither JSON nor YAML). */
export function readSource(source: string, maxBytes: number = MAX_POLICY_BYTES): unknown {
  refuseHugeText(source, maxBytes);
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  const first = text.trimStart()[0];
  if (first === '{' || first === '[') {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // YAML's flow style begins the same way; its parser has the better message too.
    }
  }
  return readYaml(text);
}

/** What no parser should get. @throws PosternError 90031, 2236 */
export function refuseHugeText(source: string, maxBytes: number): void {
  const size = new TextEncoder().encode(source).length;
  if (size > maxBytes) throw fail(90031, { size, max: maxBytes });
  refuseDeepNesting(source);
}

function readYaml(text: string): unknown {
  try {
    const document = parseDocument(text, { schema: 'core', version: '1.2', uniqueKeys: true, logLevel: 'silent' });
    const problem = document.errors[0];
    if (problem !== undefined) throw fail(2236, { reason: firstLine(problem.message) });
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    refuseDeepValues(value, 0);
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'PosternError') throw error;
    throw fail(2236, { reason: error instanceof Error ? firstLine(error.message) : 'unreadable' });
  }
}

/** Both parsers recurse: brackets are counted before they run. Brackets inside strings count too; nobody nests 64. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_NESTING * 4) throw tooDeep();
    } else if ((c === 0x5d || c === 0x7d) && depth > 0) depth--;
  }
}

/** Bounds the nesting of a value that did not come from text (an object of an API caller). */
export function refuseDeepValues(value: unknown, depth: number): void {
  if (depth > MAX_NESTING) throw tooDeep();
  if (Array.isArray(value)) for (const item of value) refuseDeepValues(item, depth + 1);
  else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) refuseDeepValues(item, depth + 1);
  }
}

function tooDeep(): Error {
  return fail(2236, { reason: `lists and maps are nested more than ${MAX_NESTING} deep` });
}

function firstLine(message: string): string {
  const end = message.indexOf('\n');
  const line = end === -1 ? message : message.slice(0, end);
  // A pattern that ends in $ would take squares of a long row of dots.
  let last = line.length;
  while (last > 0 && '.:'.includes(line.charAt(last - 1))) last--;
  return line.slice(0, last);
}
