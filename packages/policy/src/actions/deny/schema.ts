/** traffic-policy.md §4 deny */
import * as z from 'zod/mini';
import { httpStatus } from '../../schema/fields.ts';

export const denySchema = z.strictObject({ status_code: z._default(httpStatus, 403) });
