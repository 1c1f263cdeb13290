/** traffic-policy.md §4 deny */
import * as z from 'zod/mini';
import { httpStatus, withDefault } from '../../schema/fields.ts';

export const denySchema = z.strictObject({ status_code: withDefault(httpStatus, 403) });
