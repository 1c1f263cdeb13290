/**
 * The one error table. See README.md of this package.
 */
export type { ErrorEntry, ErrorOwner } from './entry.ts';
export { ERROR_TABLE, type ErrorNumber } from './table.ts';
export { PosternError, fail, isPosternError, type ErrorParams } from './postern-error.ts';
