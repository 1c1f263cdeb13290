/** traffic-policy.md §4 sse-find-replace */
import * as z from 'zod/mini';
import { hasExpression } from '../../interpolation/scan.ts';
import { listOf, text, verify, withDefault } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';
import { findReplaceFields, MOST_REPLACEMENTS } from '../find-replace-fields.ts';

export const EVENT_FIELDS = ['data', 'retry'] as const;
export type EventField = (typeof EVENT_FIELDS)[number];

export function eventField(name: string): EventField | null {
  return EVENT_FIELDS.find((known) => known === name) ?? null;
}

const field = text.check(
  verify((name: string) =>
    hasExpression(name) || eventField(name) !== null
      ? null
      : { number: 2222, facts: { value: printable(name), allowed: EVENT_FIELDS.join(', ') } },
  ),
);

export const sseFindReplaceSchema = z.strictObject({
  replacements: listOf(
    z.strictObject({ field: withDefault(field, 'data'), ...findReplaceFields }),
    1,
    MOST_REPLACEMENTS,
  ),
});

export const sseFindReplaceAction = describeAction({
  type: 'sse-find-replace',
  phases: ['on_event_stream_message'],
  resultKey: 'sse_find_replace',
  config: () => sseFindReplaceSchema,
});
