import type { ErrorEntry, ErrorOwner } from './entry.ts';
import { ERROR_TABLE, type ErrorNumber } from './table.ts';

export type ErrorParams = Readonly<Record<string, string | number | boolean>>;

/**
 * A failure with a published identifier. Everything that answers a user (API, agent RPC, pages) renders this one type.
 */
export class PosternError extends Error {
  override readonly name = 'PosternError';
  /** e.g. `334`. */
  readonly number: ErrorNumber;
  /** e.g. `ERR_NGROK_334`. */
  readonly code: string;
  readonly status: number;
  readonly owner: ErrorOwner;
  readonly title: string;
  /** What filled the message: with the number, all that another process needs to make the same error. */
  readonly params: ErrorParams;
  /** Extra facts for the caller; values are always strings, because clients decode `map<string,string>`. */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    number: ErrorNumber,
    params: ErrorParams = {},
    options: { cause?: unknown; details?: Readonly<Record<string, string>> } = {},
  ) {
    const entry: ErrorEntry = ERROR_TABLE[number];
    super(fill(entry.message, params), options.cause === undefined ? undefined : { cause: options.cause });
    this.number = number;
    this.params = params;
    this.code = `ERR_NGROK_${number}`;
    this.status = entry.status;
    this.owner = entry.owner;
    this.title = entry.title;
    this.details = options.details ?? {};
  }
}

/** Makes the error of row `number`, its `{placeholders}` filled from `params`. */
export function fail(
  number: ErrorNumber,
  params: ErrorParams = {},
  options: { cause?: unknown; details?: Readonly<Record<string, string>> } = {},
): PosternError {
  return new PosternError(number, params, options);
}

export function isPosternError(value: unknown): value is PosternError {
  return value instanceof PosternError;
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{([a-z_]+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}
