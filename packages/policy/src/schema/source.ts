/**
 * Text → plain value: JSON when it is JSON, else YAML (core schema). Bounded in size, nesting and aliases before
 * anything walks the result. Browser-safe.
 */
import { fail } from '@postern/errors';
import { parseAllDocuments } from 'yaml';

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
      const value: unknown = JSON.parse(text);
      if (membersIn(text) === membersOf(value)) return value;
      // A name stands twice, and what the first one said would be lost. YAML's parser says which.
    } catch {
      // YAML's flow style begins the same way; its parser has the better message too.
    }
  }
  return readYaml(text);
}

/** Members of all objects in a text that is JSON. */
function membersIn(json: string): number {
  let count = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (c === COLON) count++;
    else if (c === QUOTE) i = endOfString(json, i);
  }
  return count;
}

const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function endOfString(json: string, begin: number): number {
  let i = begin + 1;
  while (i < json.length && json.charCodeAt(i) !== QUOTE) i += json.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) count += membersOf(member);
  return count;
}

/** What no parser should get. @throws PosternError 90031, 2236 */
export function refuseHugeText(source: string, maxBytes: number): void {
  const size = new TextEncoder().encode(source).length;
  if (size > maxBytes) throw fail(90031, { size, max: maxBytes });
  refuseDeepNesting(source);
}

function readYaml(text: string): unknown {
  try {
    const options = { schema: 'core', version: '1.2', uniqueKeys: true, logLevel: 'silent' } as const;
    const documents = [...parseAllDocuments(text, options)];
    const problem = documents.find(({ errors }) => errors.length > 0)?.errors[0];
    if (problem !== undefined) throw fail(2236, { reason: firstLine(problem.message) });
    const values = documents.map((document): unknown => document.toJS({ maxAliasCount: MAX_ALIASES }));
    const [value = null, ...others] = values.filter((one) => one !== null);
    if (others.length > 0)
      throw fail(2236, { reason: 'it holds more than one YAML document; put all phases into one' });
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
