/** The fields of a replacement. Browser-safe. */
import * as z from 'zod/mini';
import { text, withDefault } from '../schema/fields.ts';

/** Of one action. */
export const MOST_REPLACEMENTS = 100;
const MAX_TO = 8192;

/** `from` and `to`, as every kind of replacement has them. */
export const findReplaceFields = {
  from: text.check(z.minLength(1)),
  to: withDefault(text.check(z.maxLength(MAX_TO)), ''),
};
