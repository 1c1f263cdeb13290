import type { Http1Failure, Http1Limits } from './types.ts';

/** Thrown inside the codec where a message breaks a rule; the parser turns it into its `failure`. */
export class Refusal extends Error {
  readonly failure: Http1Failure;

  constructor(status: number, reason: string) {
    super(reason);
    this.failure = { status, reason };
  }
}

export const DEFAULT_LIMITS: Http1Limits = { headBytes: 262_144, fieldCount: 1_000 };
