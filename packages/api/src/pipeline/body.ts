import type { IncomingMessage } from 'node:http';
import { fail } from '@postern/errors';
import { z } from 'zod';
import { quoted } from '../wire/ids.ts';
import { camelised, type Camelised } from '../wire/names.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Which fields a body may have, and what becomes of them. */
export interface BodyRule<Body> {
  /** Whatever comes is taken: none at all, another type, no JSON. What is not an object is read as an empty one. */
  readonly loose?: true;
  read(input: JsonObject): Body;
}

/** Bodies of this API are small; a traffic policy may have 128 KiB or so. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** A refused body is read and dropped up to here, so that the client sees the answer; then the connection ends. */
const DISCARD_LIMIT_BYTES = 16 * 1024 * 1024;
const BODY_DEADLINE_MS = 20_000;
const MAX_DEPTH = 32;
const LONE_SURROGATE = 'it has half of a surrogate pair (\\ud800 to \\udfff alone), which is no character';

/**
 * A rule made of a zod shape in wire names. Unknown fields are 214, wrong kinds 215, both by the field's name; the
 * result has camelCase names.
 */
export function fields<Shape extends z.ZodRawShape>(
  shape: Shape,
): BodyRule<Camelised<z.output<z.ZodObject<Shape, z.core.$strict>>>> {
  const schema = z.strictObject(shape);
  const known = Object.keys(shape).join(', ');
  return {
    read(input) {
      const result = schema.safeParse(input);
      if (result.success) return camelised(result.data);
      throw bodyError(result.error.issues, input, known);
    },
  };
}

function bodyError(issues: readonly z.core.$ZodIssue[], input: JsonObject, known: string): Error {
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const field = [...issue.path, issue.keys[0] ?? ''].map(String).join('.');
    return fail(214, { field: quoted(field), known: issue.path.length === 0 ? known : 'see the documentation' });
  }
  const [issue] = issues;
  if (issue === undefined) return fail(215, { field: '', reason: 'it cannot be read' });
  const field = quoted(issue.path.map(String).join('.'));
  if (issue.code !== 'invalid_type') return fail(215, { field, reason: issue.message });
  const wanted = KIND_NAMES[issue.expected] ?? issue.expected;
  const actual = valueAt(input, issue.path);
  return fail(215, {
    field,
    reason: actual === undefined ? `it is required (${wanted})` : `${wanted} is needed, not ${kindOf(actual)}`,
  });
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'boolean') return String(value);
  return `a ${typeof value}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/**
 * Bytes to a JSON object: 213 for everything that is none. null members are dropped, because null means "absent"
 * (api.md §3: PATCH keeps), and so are the path parameters that TypeScript clients repeat in bodies (§1.5).
 */
export function parseBody(bytes: Uint8Array, repeatedParams: readonly string[]): JsonObject {
  if (bytes.length === 0) throw fail(213, { reason: 'it is empty; send at least {}' });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fail(213, { reason: 'it is not UTF-8 text' });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(213, { reason: quoted(cause instanceof Error ? cause.message : 'it cannot be parsed', 160) });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail(213, { reason: `it is ${kindOf(value)}` });
  }
  const members = Object.entries(withoutNulls(value, 0));
  return Object.fromEntries(members.filter(([name]) => !repeatedParams.includes(name)));
}

function withoutNulls(value: object, depth: number): object {
  if (depth > MAX_DEPTH) throw fail(213, { reason: `it nests deeper than ${MAX_DEPTH} levels` });
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNullsInside(item, depth));
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    // An own member of this name would become the prototype of whatever copies it.
    if (!name.isWellFormed()) throw fail(213, { reason: LONE_SURROGATE });
    if (name === '__proto__') throw fail(214, { field: name, known: 'see the documentation' });
    if (member !== null) members.push([name, withoutNullsInside(member, depth)]);
  }
  return Object.fromEntries(members);
}

function withoutNullsInside(value: unknown, depth: number): unknown {
  // Half of a surrogate pair is no text: no database and no other client would give it back as it was.
  if (typeof value === 'string' && !value.isWellFormed()) throw fail(213, { reason: LONE_SURROGATE });
  return typeof value === 'object' && value !== null ? withoutNulls(value, depth + 1) : value;
}

/** For calls that clients send with no body, with `{}`, or with the bare id as text. */
export function parseLoosely(bytes: Uint8Array): JsonObject {
  try {
    return parseBody(bytes, []);
  } catch {
    return {};
  }
}

/** The whole body in memory, to the limit; more is 90074, a broken or stalled upload is 212. */
export function readBody(request: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) {
      reject(fail(212, { reason: 'the connection closed' }));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    let settled = false;
    const settle = (error: Error | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      if (error === null) resolve(Buffer.concat(chunks, length));
      else reject(error);
    };
    const deadline = setTimeout(() => {
      settle(fail(212, { reason: `it did not end within ${BODY_DEADLINE_MS / 1000} seconds` }));
    }, BODY_DEADLINE_MS);
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_LIMIT_BYTES) {
        if (!settled) chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      settle(fail(90074, { limit: BODY_LIMIT_BYTES }));
      if (length > DISCARD_LIMIT_BYTES) request.destroy();
    });
    request.on('end', () => settle(null));
    request.on('error', () => settle(fail(212, { reason: 'the connection broke' })));
    request.on('close', () => settle(fail(212, { reason: 'the connection closed' })));
  });
}
