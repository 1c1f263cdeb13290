/**
 * The REST surface of the rules. See README.md of this package.
 */
export { createApi, DEFAULT_RATE_LIMIT, type Api, type ApiLog, type ApiOptions } from './api.ts';
export type { RateLimitOptions } from './pipeline/rate-limit.ts';
