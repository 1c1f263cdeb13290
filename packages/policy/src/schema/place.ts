/** Where in a policy's text something stands, for messages (traffic-policy.md §1). Browser-safe. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { MAX_POLICY_BYTES, refuseHugeText } from './source.ts';

export interface SourcePlace {
  /** From 1 on. */
  readonly line: number;
  readonly column: number;
}

const START: SourcePlace = { line: 1, column: 1 };

/**
 * Reads a text once, for the places of all its problems. JSON is YAML, for this. What is not in the text (a missing field)
 * is where the nearest part around it begins.
 * @returns the place of a path as errors have it, e.g. `on_http_request[0].actions[1].config.headers.x-a`
 */
export function sourcePlaces(source: string): (path: string) => SourcePlace {
  try {
    refuseHugeText(source, MAX_POLICY_BYTES);
  } catch {
    return () => START;
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { schema: 'core', version: '1.2', logLevel: 'silent', lineCounter: lines });
  const [broken] = document.errors;
  return (path) => {
    const { line, col } = lines.linePos(broken === undefined ? offsetOf(document.contents, path) : broken.pos[0]);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function offsetOf(root: Node | null, path: string): number {
  let node: unknown = root;
  let rest = path;
  let at = startOf(root) ?? 0;
  while (rest !== '') {
    const step = isMap(node) ? intoMap(node.items, rest) : isSeq(node) ? intoSeq(node.items, rest) : null;
    if (step === null) return at;
    at = step.at ?? at;
    node = step.value;
    rest = step.rest;
  }
  return at;
}

interface Step {
  readonly at: number | null;
  readonly value: unknown;
  readonly rest: string;
}

/** Names may have dots in them: the longest key that the path goes on with. */
function intoMap(items: readonly { readonly key: unknown; readonly value: unknown }[], path: string): Step | null {
  const text = path.startsWith('.') ? path.slice(1) : path;
  let best: Step | null = null;
  let longest = -1;
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : '';
    const rest = text.slice(name.length);
    const ends = rest === '' || rest.startsWith('.') || rest.startsWith('[');
    if (name.length <= longest || !text.startsWith(name) || !ends) continue;
    longest = name.length;
    // A list or a map is where its name is; a plain value is itself the place.
    best = { at: isScalar(value) && rest === '' ? startOf(value) : startOf(key), value, rest };
  }
  return best;
}

function intoSeq(items: readonly unknown[], path: string): Step | null {
  const match = /^\[(\d{1,6})\]/.exec(path);
  if (match === null) return null;
  const value = items[Number(match[1])];
  return value === undefined ? null : { at: startOf(value), value, rest: path.slice(match[0].length) };
}

function startOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : null;
}
