/** What rules write down (`setvar`) and change for the message under way (`ctl`). */
import type { Removal, Transaction } from '../run/transaction.ts';
import { fixedText, parseMacro } from '../syntax/macro.ts';
import { Mistake } from '../syntax/problem.ts';
import { parseTargets } from '../syntax/targets.ts';
import type { BodyProcessor } from '../variables/request.ts';
import { idsOf } from './ids.ts';
import { compileTarget } from './target.ts';

export type Effect = (transaction: Transaction) => void;

const STORES: ReadonlySet<string> = new Set(['TX', 'IP', 'GLOBAL', 'SESSION', 'USER', 'RESOURCE']);

/** `tx.score=+%{tx.critical}`, `!tx.score`, `tx.seen`. @throws Mistake */
export function setVariable(text: string): Effect {
  const deletes = text.startsWith('!');
  const written = deletes ? text.slice(1) : text;
  const equals = written.indexOf('=');
  const place = (equals < 0 ? written : written.slice(0, equals)).trim();
  const dot = place.search(/[.:]/);
  const collection = place.slice(0, Math.max(dot, 0)).toUpperCase();
  if (!STORES.has(collection) || dot === place.length - 1) throw new Mistake(`"setvar:${text}" names no place`);
  const name = parseMacro(place.slice(dot + 1));
  const fixedName = fixedText(name);
  const nameOf = (transaction: Transaction): string => fixedName ?? transaction.expand(name);
  if (deletes) return (transaction) => transaction.store(collection, nameOf(transaction), null);
  const value = equals < 0 ? '1' : written.slice(equals + 1).trim();
  const sign = /^[+-]/.test(value) && value.length > 1 ? value.charAt(0) : '';
  const macro = parseMacro(sign === '' ? value : value.slice(1));
  const fixed = fixedText(macro);
  return (transaction) => {
    const key = nameOf(transaction);
    const filled = fixed ?? transaction.expand(macro);
    if (sign === '') return transaction.store(collection, key, filled);
    const before = numberOf(transaction.stored(collection).find((field) => field.key === key.toLowerCase())?.value);
    const by = numberOf(filled);
    transaction.store(collection, key, String(sign === '+' ? before + by : before - by));
  };
}

function numberOf(text: string | undefined): number {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isNaN(number) ? 0 : number;
}

const PROCESSORS: ReadonlyMap<string, BodyProcessor> = new Map<string, BodyProcessor>([
  ['URLENCODED', 'URLENCODED'],
  ['MULTIPART', 'MULTIPART'],
  ['JSON', 'JSON'],
  ['XML', 'XML'],
]);

/** Of the audit log, of limits that are the server's, and of tokens in pages: nothing here to change. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'auditengine',
  'auditlogparts',
  'debugloglevel',
  // A body that no processor takes is looked at as it is, anyway.
  'forcerequestbodyvariable',
  'hashenforcement',
  'hashengine',
  'requestbodylimit',
  'responsebodylimit',
]);

/** `ruleRemoveTargetById=942100;ARGS:password`. @throws Mistake, NotRun */
export function control(text: string): Effect {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trim().toLowerCase();
  const value = text.slice(equals + 1).trim();
  const on = value.toLowerCase() === 'on';
  switch (name) {
    case 'ruleengine':
      return (transaction) => (transaction.off = !on);
    case 'requestbodyprocessor': {
      const processor = PROCESSORS.get(value.toUpperCase());
      if (processor === undefined) throw new Mistake(`"${value}" reads no bodies`);
      return (transaction) => (transaction.request.processor = processor);
    }
    case 'responsebodyaccess':
      return (transaction) => (transaction.responseBody = on);
    case 'requestbodyaccess':
      return (transaction) => (transaction.requestBody = on);
    case 'ruleremovebyid':
      return removal(byId(value), '');
    case 'ruleremovebytag':
      return removal(byTag(value), '');
    case 'ruleremovebymsg':
      return removal(byMessage(value), '');
    case 'ruleremovetargetbyid': {
      const [ids, target] = halves(value);
      return removal(byId(ids), target);
    }
    case 'ruleremovetargetbytag': {
      const [tag, target] = halves(value);
      return removal(byTag(tag), target);
    }
    case 'ruleremovetargetbymsg': {
      const [message, target] = halves(value);
      return removal(byMessage(message), target);
    }
    default:
      if (WITHOUT_EFFECT.has(name)) return () => {};
      throw new Mistake(`"ctl:${text}" is none`);
  }
}

function halves(text: string): [string, string] {
  const semicolon = text.indexOf(';');
  if (semicolon < 0) throw new Mistake(`"${text}" does not say which variable`);
  return [text.slice(0, semicolon), text.slice(semicolon + 1)];
}

type Fits = Removal['fits'];

function byId(text: string): Fits {
  const has = idsOf(text);
  return (rule) => has(rule.id);
}

function byTag(tag: string): Fits {
  return (rule) => rule.tags.includes(tag);
}

function byMessage(message: string): Fits {
  return (rule) => fixedText(rule.message) === message;
}

function removal(fits: Fits, target: string): Effect {
  const selectors = target === '' ? [null] : compileTarget(parseTargets(target)).selectors;
  const removals = selectors.map((selector): Removal => ({ fits, selector }));
  return (transaction) => void transaction.removals.push(...removals);
}
