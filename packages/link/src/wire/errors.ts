/** Failures as messages carry them: those of the error table by number and parameters, others by their words. */
import { isPosternError, PosternError, type ErrorNumber, type ErrorParams } from '@postern/errors';

export type WireError =
  | {
      readonly kind: 'table';
      readonly number: ErrorNumber;
      readonly params: ErrorParams;
      readonly details: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'other'; readonly name: string; readonly message: string; readonly code: string };

/** The other side's failure that the error table does not know. */
export class RemoteError extends Error {
  /** Of the system, e.g. `EADDRINUSE`; '' = none. */
  readonly code: string;

  constructor(name: string, message: string, code: string) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

export function encodeError(error: unknown): WireError {
  if (isPosternError(error)) {
    const { number, params, details } = error;
    return { kind: 'table', number, params, details };
  }
  if (!(error instanceof Error)) return { kind: 'other', name: 'Error', message: String(error), code: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { kind: 'other', name: error.name, message: error.message, code };
}

export function decodeError(wire: WireError): Error {
  return wire.kind === 'table'
    ? new PosternError(wire.number, wire.params, { details: wire.details })
    : new RemoteError(wire.name, wire.message, wire.code);
}
