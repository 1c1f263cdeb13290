/** Where a request carries a token: a header, or a member of its body. */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { MAX_PARTS, TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import { mediaType } from '../../cel/variables/content-type.ts';
import type { Template } from '../../interpolation/template.ts';
import type { RequestView } from '../../runtime.ts';
import { unreadBody } from '../body.ts';
import type { TokenType } from './schema.ts';
import { isMembers, LONGEST_TOKEN } from './token.ts';

export interface TokenPlace {
  readonly type: TokenType;
  readonly method: 'header' | 'body';
  readonly name: Template;
  /** Compared without case, as schemes of `Authorization` are (RFC 9110 §11.1). */
  readonly prefix: Template;
}

/** A place as it is for one request. */
export interface FilledPlace {
  readonly type: TokenType;
  readonly method: 'header' | 'body';
  readonly name: string;
  readonly prefix: string;
}

export function fillPlace({ type, method, name, prefix }: TokenPlace, scope: Scope): FilledPlace | Failure {
  const filledName = name.require(scope);
  if (filledName instanceof Failure) return filledName;
  const filledPrefix = prefix.require(scope);
  return filledPrefix instanceof Failure ? filledPrefix : { type, method, name: filledName, prefix: filledPrefix };
}

/** Looks up a member of the body: all that it has of that name. */
type Fields = (name: string) => readonly unknown[];

/** Reads tokens of one request; its body is read and taken apart once, if at all. */
export class TokenFinder {
  readonly #req: RequestView;
  readonly #scope: Scope;
  #fields: Fields | PosternError | Failure | null = null;

  constructor(req: RequestView, scope: Scope) {
    this.#req = req;
    this.#scope = scope;
  }

  /** @returns the token as text, or why there is none */
  async find({ method, name, prefix }: FilledPlace): Promise<string | PosternError | Failure> {
    if (method === 'header') {
      const values = this.#req.headers.getAll(name);
      return values.length === 0 ? fail(3408, { name }) : single(values, name, prefix);
    }
    this.#fields ??= await readFields(this.#req, this.#scope);
    if (this.#fields instanceof Failure || isPosternError(this.#fields)) return this.#fields;
    return single(this.#fields(name), name, prefix);
  }
}

/** Of two the service might take the one that was not looked at. */
function single(values: readonly unknown[], name: string, prefix: string): string | PosternError {
  const [value, another] = values;
  if (typeof value !== 'string') return fail(3406, { name });
  if (another !== undefined) return fail(3416, { reason: 'is there more than once' });
  if (value.length > LONGEST_TOKEN + prefix.length + 1) {
    return fail(3416, { reason: `has more than ${LONGEST_TOKEN} characters` });
  }
  const start = value.slice(0, prefix.length);
  return start.toLowerCase() === prefix.toLowerCase() ? value.slice(prefix.length).trim() : fail(3413, { name });
}

const METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const LARGEST_BODY = 256 * 1024;

async function readFields(req: RequestView, scope: Scope): Promise<Fields | PosternError | Failure> {
  if (!METHODS.has(req.method)) return fail(3415);
  const types = req.headers.getAll('content-type');
  const type = types.length === 1 ? mediaType(types[0] ?? '') : '';
  const isForm = type === 'application/x-www-form-urlencoded';
  if (!isForm && type !== 'application/json' && !/^application\/[!-~]+\+json$/.test(type)) return fail(3414);
  const body = await req.readBody(LARGEST_BODY);
  if (typeof body === 'string') return unreadBody(body, LARGEST_BODY);
  // About ten nanoseconds a byte.
  if (!spend(scope, body.length)) return TOO_MANY_STEPS;
  const read = isForm ? formFields(body) : jsonFields(body);
  return read ?? fail(isForm ? 3412 : 3411);
}

function formFields(body: Buffer): Fields | null {
  const text = body.toString('utf8');
  if (text.split('&', MAX_PARTS + 1).length > MAX_PARTS) return null;
  const form = new URLSearchParams(text);
  return (name) => form.getAll(name);
}

function jsonFields(body: Buffer): Fields | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  if (!isMembers(value)) return null;
  const members = value;
  return (name) => (Object.hasOwn(members, name) ? [members[name]] : []);
}
