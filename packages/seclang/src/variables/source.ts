/** What variables are read from: a message, and what rules have made of it so far. */
import type { ResponseMessage } from '../run/message.ts';
import type { Field } from './field.ts';
import type { RequestParts } from './request.ts';

export interface Source {
  readonly request: RequestParts;
  /** null = there is none yet. */
  readonly response: ResponseMessage | null;
  /** Whether rules may look at the answer's body. */
  readonly responseBody: boolean;
  /** What the rule under way has matched. */
  readonly matched: readonly Field[];
  readonly rule: { readonly id: number; readonly severity: string } | null;
  /** What rules have written down. */
  stored(collection: string): readonly Field[];
}
