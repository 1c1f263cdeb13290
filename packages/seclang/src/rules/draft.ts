/** A rule as it is written, taken apart: what `SecRuleUpdate…` may still change before it is compiled. */
import type { WrittenAction } from '../syntax/actions.ts';
import { parseActions } from '../syntax/actions.ts';
import type { WrittenOperator } from '../syntax/operator.ts';
import { Mistake } from '../syntax/problem.ts';
import type { WrittenTarget } from '../syntax/targets.ts';
import type { Disruption, Phase } from './rule.ts';

/** One `SecRule` of a chain. */
export interface DraftLink {
  targets: readonly WrittenTarget[] | null;
  readonly operator: WrittenOperator | null;
  readonly actions: readonly WrittenAction[];
}

export interface Draft {
  readonly file: string;
  readonly line: number;
  readonly id: number;
  readonly phase: Phase;
  readonly links: DraftLink[];
  /** Of its first link, behind those of `SecDefaultAction`. */
  actions: WrittenAction[];
}

const PHASES: ReadonlyMap<string, Phase> = new Map<string, Phase>([
  ['1', 1],
  ['2', 2],
  ['3', 3],
  ['4', 4],
  ['5', 5],
  ['request', 2],
  ['response', 4],
  ['logging', 5],
]);

/** @throws Mistake */
export function phaseOf(actions: readonly WrittenAction[]): Phase | null {
  const written = lastOf(actions, 'phase');
  if (written === null) return null;
  const phase = PHASES.get(written.toLowerCase());
  if (phase === undefined) throw new Mistake(`"phase:${written}" is no phase`);
  return phase;
}

export function lastOf(actions: readonly WrittenAction[], name: string): string | null {
  return actions.findLast((action) => action.name === name)?.value ?? null;
}

export function allOf(actions: readonly WrittenAction[], name: string): string[] {
  return actions.filter((action) => action.name === name).map(({ value }) => value);
}

/** Actions that say what becomes of the message; the last one counts. */
const DISRUPTIVE: ReadonlySet<string> = new Set(['allow', 'block', 'deny', 'drop', 'pass', 'proxy', 'redirect']);

/** Everything else that rules may say. What is about logs and stores of another server has no effect here. */
const KNOWN: ReadonlySet<string> = new Set([
  ...DISRUPTIVE,
  'accuracy',
  'append',
  'auditlog',
  'capture',
  'chain',
  'ctl',
  'deprecatevar',
  'expirevar',
  'id',
  'initcol',
  'log',
  'logdata',
  'maturity',
  'msg',
  'multimatch',
  'noauditlog',
  'nolog',
  'pause',
  'phase',
  'prepend',
  'rev',
  'sanitisearg',
  'sanitisematched',
  'sanitisematchedbytes',
  'sanitiserequestheader',
  'sanitiseresponseheader',
  'setenv',
  'setrsc',
  'setsid',
  'setuid',
  'setvar',
  'severity',
  'skip',
  'skipafter',
  'status',
  't',
  'tag',
  'ver',
  'xmlns',
]);

/** @throws Mistake */
export function readActions(text: string): WrittenAction[] {
  const actions = parseActions(text);
  const unknown = actions.find(({ name }) => !KNOWN.has(name));
  if (unknown !== undefined) throw new Mistake(`"${unknown.name}" is no action that is run here`);
  return actions;
}

/** @param fallback the actions of `SecDefaultAction`, which `block` stands for */
export function disruptionOf(actions: readonly WrittenAction[], fallback: readonly WrittenAction[]): Disruption {
  const last = actions.findLast(({ name }) => DISRUPTIVE.has(name)) ?? { name: 'block', value: '' };
  switch (last.name) {
    case 'deny':
    case 'drop':
    case 'proxy':
    case 'redirect':
      return 'deny';
    case 'allow':
      if (last.value === 'phase') return 'allow-phase';
      return last.value === 'request' ? 'allow-request' : 'allow';
    case 'block':
      return fallback.some(({ name }) => DISRUPTIVE.has(name) && name !== 'block')
        ? disruptionOf(fallback, [])
        : 'none';
    default:
      return 'none';
  }
}
