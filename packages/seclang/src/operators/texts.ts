/** Operators that compare texts and numbers. */
import { fixedText, parseMacro } from '../syntax/macro.ts';
import { MATCHED, type Operator, type OperatorScope } from './operator.ts';

/** `judge` of value and argument, which is filled in where it has to be. */
function comparing(argument: string, judge: (value: string, wanted: string) => boolean): Operator {
  const macro = parseMacro(argument);
  const fixed = fixedText(macro);
  const wanted = (scope: OperatorScope): string => fixed ?? scope.expand(macro);
  return (value, scope) => (judge(value, wanted(scope)) ? MATCHED : null);
}

/** As C's atoi: what is no number is 0. */
function integerOf(text: string): number {
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? 0 : number;
}

function numbers(judge: (value: number, wanted: number) => boolean): (argument: string) => Operator {
  return (argument) => comparing(argument, (value, wanted) => judge(integerOf(value), integerOf(wanted)));
}

function texts(judge: (value: string, wanted: string) => boolean): (argument: string) => Operator {
  return (argument) => comparing(argument, judge);
}

const WORD = /\w/;

/** Not within a longer word. */
function containsWord(value: string, wanted: string): boolean {
  if (wanted === '') return true;
  for (let at = value.indexOf(wanted); at >= 0; at = value.indexOf(wanted, at + 1)) {
    if (!WORD.test(value.charAt(at - 1)) && !WORD.test(value.charAt(at + wanted.length))) return true;
  }
  return false;
}

export const TEXT_OPERATORS: readonly (readonly [string, (argument: string) => Operator])[] = [
  ['beginswith', texts((value, wanted) => value.startsWith(wanted))],
  ['contains', texts((value, wanted) => value.includes(wanted))],
  ['containsword', texts(containsWord)],
  ['endswith', texts((value, wanted) => value.endsWith(wanted))],
  ['eq', numbers((value, wanted) => value === wanted)],
  ['ge', numbers((value, wanted) => value >= wanted)],
  ['gt', numbers((value, wanted) => value > wanted)],
  ['le', numbers((value, wanted) => value <= wanted)],
  ['lt', numbers((value, wanted) => value < wanted)],
  ['nomatch', () => () => null],
  ['streq', texts((value, wanted) => value === wanted)],
  ['strmatch', texts((value, wanted) => value.includes(wanted))],
  ['unconditionalmatch', () => () => MATCHED],
  ['within', texts((value, wanted) => wanted.includes(value))],
];
