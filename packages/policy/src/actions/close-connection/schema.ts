/** traffic-policy.md §4 close-connection: nothing to configure */
import * as z from 'zod/mini';

export const closeConnectionSchema = z.strictObject({});
