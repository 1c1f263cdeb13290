/** Why there is no certificate, in words for whoever has to do something about it. */
import { AcmeProblem } from '../client/problem.ts';

/** As clients know them, and ours. */
export type FailureCode = 'DNS_ERROR' | 'CA_ERROR' | 'CA_REFUSED' | 'RATE_LIMITED' | 'INTERNAL_ERROR';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  /** Not before; milliseconds from then. null = as the back-off says. */
  readonly retryAfterMs: number | null;
  /** Another authority may do better. */
  readonly elsewhere: boolean;

  constructor(code: FailureCode, message: string, more: { retryAfterMs?: number | null; elsewhere?: boolean } = {}) {
    super(message);
    this.code = code;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.elsewhere = more.elsewhere ?? false;
  }
}

/** The order is over, and why. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
  readonly problem: AcmeProblem;

  constructor(problem: AcmeProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** @param authority its host, for words */
export function failureOf(error: unknown, authority: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof OrderRefused) {
    const { type, message } = error.problem;
    return new Failure(type === 'dns' ? 'DNS_ERROR' : 'CA_REFUSED', `${authority} refused: ${message}`);
  }
  if (!(error instanceof AcmeProblem)) {
    const words = error instanceof Error ? error.message : String(error);
    return new Failure('INTERNAL_ERROR', `This server could not go on: ${words}`);
  }
  const { type, message, retryAfterMs } = error;
  switch (type) {
    case 'rateLimited':
      return new Failure('RATE_LIMITED', `${authority} gives no more for now: ${message}`, {
        retryAfterMs: retryAfterMs ?? 3_600_000,
        elsewhere: true,
      });
    case 'dns':
    case 'caa':
      return new Failure('DNS_ERROR', `${authority} finds no record that leads here: ${message}`);
    case 'unreachable':
    case 'serverInternal':
    case 'externalAccountRequired':
    case 'userActionRequired':
      return new Failure('CA_ERROR', `${authority} cannot be asked: ${message}`, { retryAfterMs, elsewhere: true });
    default:
      return new Failure('CA_REFUSED', `${authority} refused: ${message}`, { retryAfterMs });
  }
}
