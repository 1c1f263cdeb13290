/** traffic-policy.md §4 set-vars */
import * as z from 'zod/mini';
import { verify, type Problem } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

const MAX_VARS = 250;
const MAX_NAME = 1024;

/** Expressions select any name: those that are no identifiers as `vars['a name']`. */
const variable = z.record(z.string(), z.unknown()).check(
  verify((entry: Record<string, unknown>): Problem | null => {
    const names = Object.keys(entry);
    const [name = ''] = names;
    if (names.length !== 1) return { number: 2252, facts: { count: names.length } };
    if (name === '') return { number: 2223, facts: {} };
    return name.length > MAX_NAME ? { number: 2221, facts: { length: name.length, max: MAX_NAME } } : null;
  }),
);

export const setVarsSchema = z.strictObject({
  vars: z.array(variable).check(z.minLength(1), z.maxLength(MAX_VARS)),
});

export const setVarsAction = describeAction({
  type: 'set-vars',
  phases: ['on_tcp_connect', 'on_http_request', 'on_http_response'],
  resultKey: 'set_vars',
  config: () => setVarsSchema,
});
