/** How large a value may become while an expression is evaluated: whoever writes policies shares the process. */
import { Failure } from './value.ts';

/** UTF-16 units of one text. */
export const MAX_TEXT = 1024 * 1024;
/** Items of one list. */
export const MAX_LIST = 10_000;

export const TEXT_TOO_LONG = new Failure('a text became longer than 1 MiB');
export const LIST_TOO_LONG = new Failure(`a list became longer than ${MAX_LIST} items`);
