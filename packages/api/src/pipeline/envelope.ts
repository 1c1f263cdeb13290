import { fail, isPosternError, type PosternError } from '@postern/errors';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
  /** Seconds for a Retry-After header; '' = none. */
  readonly retryAfter: string;
}

/** An error as clients decode it (api.md §2): every value of `details` is a string, and there is always an object. */
export function errorAnswer(error: PosternError, operationId: string): ErrorAnswer {
  return {
    status: error.status,
    body: JSON.stringify({
      error_code: error.code,
      status_code: error.status,
      msg: error.message,
      details: { ...error.details, operation_id: operationId },
    }),
    retryAfter: error.details['retry_after'] ?? '',
  };
}

/** A known resource type and an id that is not there: no error_code, as published samples have it. */
export function resourceNotFound(operationId: string): string {
  return JSON.stringify({ status_code: 404, msg: 'Resource not found', details: { operation_id: operationId } });
}

/**
 * A path or a method that is not served; the same for both (api.md §1.1). Clients print nothing but `msg`, so it names what
 * was asked for, and the code tells it apart from a resource that is gone.
 */
export function routeNotFound(method: string, path: string): string {
  const error = fail(90095, { method, path });
  const { code, status, message } = error;
  return JSON.stringify({ error_code: code, status_code: status, msg: message, details: { path } });
}

/**
 * What the client is told about anything thrown. A store that cannot write is 503; its class lives in a room that
 * this one does not import, hence the name. Everything unexpected is 90071 and says nothing about itself.
 */
export function asPosternError(thrown: unknown): PosternError {
  if (isPosternError(thrown)) return thrown;
  if (thrown instanceof Error && thrown.name === 'StoreUnavailable') {
    const unknown = 'applied' in thrown && thrown.applied === 'unknown';
    return fail(unknown ? 90077 : 90070, {}, { cause: thrown, details: { retry_after: '5' } });
  }
  return fail(90071, {}, { cause: thrown });
}
