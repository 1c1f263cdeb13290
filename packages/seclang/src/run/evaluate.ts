/** Runs the rules of one phase over a message. */
import type { Link, Phase, Rule, RuleSet } from '../rules/rule.ts';
import { isMeant, type Target } from '../rules/target.ts';
import type { TransformChain } from '../rules/transform-chain.ts';
import type { Field } from '../variables/field.ts';
import type { Transaction } from './transaction.ts';

export interface MatchedRule {
  readonly id: number;
  readonly message: string;
  readonly severity: string;
  readonly data: string;
}

/** What phases have come to, and which rules are left out. */
export interface Run {
  readonly rules: RuleSet;
  readonly excluded: ReadonlySet<number>;
  readonly matched: MatchedRule[];
  /** The rule that ended it; null = none. */
  denied: number | null;
  /** No rule is run any more, without anything being denied. */
  allowed: boolean;
}

/** Rules that are told of one message, and characters of what each says. */
const MOST_TOLD = 100;
const MOST_SAID = 512;

/** Units for whatever a rule is. */
const RULE_UNITS = 10;

/**
 * @param only the rules that are run; the others are passed over
 * @throws Exhausted
 */
export function runPhase(phase: Phase, transaction: Transaction, run: Run, only?: (rule: Rule) => boolean): void {
  const steps = run.rules.phases[phase];
  for (let at = 0; at < steps.length;) {
    const step = steps[at];
    if (step === undefined || transaction.off || run.denied !== null || run.allowed) return;
    at++;
    const { rule } = step;
    if (only !== undefined && !only(rule)) continue;
    if (run.excluded.has(rule.id) || isRemoved(rule, transaction)) continue;
    transaction.spend(RULE_UNITS);
    if (!matches(rule, transaction)) continue;
    at = step.next;
    if (!rule.silent) tell(rule, transaction, run);
    if (rule.disruption === 'deny') run.denied = rule.id;
    if (rule.disruption === 'allow') run.allowed = true;
    if (rule.disruption === 'allow-request' && phase <= 2) run.allowed = true;
    if (rule.disruption === 'allow-phase') return;
  }
}

function isRemoved(rule: Rule, { removals }: Transaction): boolean {
  return removals.some(({ fits, selector }) => selector === null && fits(rule));
}

function tell(rule: Rule, transaction: Transaction, run: Run): void {
  if (run.matched.length >= MOST_TOLD) return;
  run.matched.push({
    id: rule.id,
    message: transaction.expand(rule.message).slice(0, MOST_SAID),
    severity: rule.severity,
    data: transaction.expand(rule.data).slice(0, MOST_SAID),
  });
}

function matches(rule: Rule, transaction: Transaction): boolean {
  transaction.rule = rule;
  transaction.matched = [];
  const hidden = hiddenFrom(rule, transaction);
  for (const link of rule.links) {
    if (!linkMatches(link, hidden, transaction)) return false;
  }
  return true;
}

const NOTHING: Target['excluded'] = [];

/** Values that other rules have taken away from this one. */
function hiddenFrom(rule: Rule, { removals }: Transaction): Target['excluded'] {
  if (removals.length === 0) return NOTHING;
  return removals.flatMap(({ fits, selector }) => (selector !== null && fits(rule) ? [selector] : []));
}

function linkMatches(link: Link, hidden: Target['excluded'], transaction: Transaction): boolean {
  transaction.captures = link.captures;
  if (link.targets === null) {
    for (const effect of link.effects) effect(transaction);
    return true;
  }
  let matched = false;
  const { excluded } = link.targets;
  for (const { variable, fits, counts, key } of link.targets.selectors) {
    const fields = transaction.fields(variable);
    if (counts) {
      const count = fields.filter((field) => fits === null || fits(field)).length;
      const name = key === '' ? variable : `${variable}:${key}`;
      if (judge(link, { name, key, value: String(count) }, transaction)) matched = true;
      continue;
    }
    for (const field of fields) {
      if (fits !== null && !fits(field)) continue;
      if (excluded.some((one) => isMeant(one, field, variable))) continue;
      if (hidden.some((one) => isMeant(one, field, variable))) continue;
      if (judge(link, field, transaction)) matched = true;
    }
  }
  return matched;
}

function judge(link: Link, field: Field, transaction: Transaction): boolean {
  if (!link.multiMatch)
    return judgeValue(link, field, transaction.transformed(field.value, link.transform), transaction);
  let matched = false;
  for (const value of stagesOf(field.value, link.transform, transaction)) {
    if (judgeValue(link, field, value, transaction)) matched = true;
  }
  return matched;
}

/** The value itself, and what each transformation that changes it makes of it. */
function stagesOf(value: string, chain: TransformChain, transaction: Transaction): ReadonlySet<string> {
  const stages = new Set([value]);
  const before: TransformChain[] = [];
  for (let one: TransformChain | null = chain; one !== null; one = one.parent) before.push(one);
  for (const one of before.toReversed()) stages.add(transaction.transformed(value, one));
  return stages;
}

function judgeValue(link: Link, field: Field, value: string, transaction: Transaction): boolean {
  const groups = link.operator(value, transaction);
  if ((groups === null) !== link.negated) return false;
  transaction.match({ name: field.name, key: field.key, value }, groups ?? []);
  for (const effect of link.effects) effect(transaction);
  return true;
}
