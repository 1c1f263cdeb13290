/** traffic-policy.md §4 compress-response */
import * as z from 'zod/mini';
import { listOf, text, verify, withDefault } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

const KNOWN = ['gzip', 'deflate', 'br', 'compress'];

const algorithms = listOf(
  text.check(
    verify((name: string) => (KNOWN.includes(name) ? null : { number: 2214, facts: { algorithm: printable(name) } })),
  ),
  1,
  KNOWN.length,
).check(
  verify((names: string[]) => {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    return twice === undefined ? null : { number: 2231, facts: { value: twice } };
  }),
);

export const compressResponseSchema = z.strictObject({ algorithms: withDefault(algorithms, KNOWN) });

export const compressResponseAction = describeAction({
  type: 'compress-response',
  phases: ['on_http_response'],
  place: { behind: 3 },
  resultKey: 'compress',
  config: () => compressResponseSchema,
});
