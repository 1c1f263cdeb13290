/**
 * How large a value may become while an expression is evaluated, and how much of a request rules look at: whoever writes
 * policies shares the process, and so does whoever sends requests.
 */
import { Failure, Fatal } from './value.ts';

/** UTF-16 units of one text. */
export const MAX_TEXT = 1024 * 1024;
/** Items of one list. */
export const MAX_LIST = 10_000;
/** UTF-16 units of a text that is read as a number or a time: those have no thousand digits, and reading takes squares. */
export const MAX_READ = 200;
/** Query parameters, cookies, parameters of a media type. */
export const MAX_PARTS = 1000;

export const NOT_READ = new Failure('the text is too long to be read as this');

const tooMuchWork = (reason: string): Fatal => new Fatal(90034, { reason });

export const TEXT_TOO_LONG = tooMuchWork('a text became longer than 1 MiB');
export const LIST_TOO_LONG = tooMuchWork(`a list became longer than ${MAX_LIST} items`);
export const TOO_MANY_STEPS = tooMuchWork('they took more steps than one request may cost');
export const TOO_MUCH_TO_MATCH = tooMuchWork('a text is too long for a regular expression like that');
export const TOO_DEEP = tooMuchWork('a value is nested too deep');
export const TOO_MANY_PAIRS = tooMuchWork(`a query string has more than ${MAX_PARTS} parameters`);

const tooManyParts = (what: string): Fatal => new Fatal(90033, { what, max: MAX_PARTS });

/** The service would see them, the rules would not. */
export const TOO_MANY_PARAMETERS = tooManyParts('query parameters');
export const TOO_MANY_COOKIES = tooManyParts('cookies');
export const TOO_MANY_MEDIA_PARAMETERS = tooManyParts('parameters in its Content-Type');
export const TOO_MANY_SET_COOKIES = tooMuchWork(`the answer sets more than ${MAX_PARTS} cookies`);
