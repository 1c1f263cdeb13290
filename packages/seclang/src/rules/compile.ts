/** Files of rules → what runs. Compiled once for all requests and all policies. */
import { compileOperator } from '../operators/index.ts';
import { MATCHED, type OperatorFiles } from '../operators/operator.ts';
import { parseMacro } from '../syntax/macro.ts';
import { Mistake, NotRun, RulesProblem } from '../syntax/problem.ts';
import { allOf, disruptionOf, type Draft, type DraftLink, lastOf } from './draft.ts';
import { control, type Effect, setVariable } from './effects.ts';
import { type DefaultActions, type Entry, readFiles, type RulesFile } from './read.ts';
import type { Link, Phase, Rule, RuleNotRun, RuleSet, Step } from './rule.ts';
import { compileTarget } from './target.ts';
import { TransformChains } from './transform-chain.ts';

const ALL_PHASES = [1, 2, 3, 4, 5] as const;

/**
 * @param dataOf the text of a file that a rule of `file` names, or null
 * @throws RulesProblem
 */
export function compileRules(
  files: readonly RulesFile[],
  dataOf: (file: string, name: string) => string | null,
): RuleSet {
  const { entries, defaults } = readFiles(files);
  const chains = new TransformChains();
  const notRun: RuleNotRun[] = [];
  const compiled = new Map<Draft, Rule>();
  for (const entry of entries) {
    if (typeof entry === 'string') continue;
    try {
      compiled.set(entry, compileRule(entry, defaults, chains, dataOf));
    } catch (error) {
      if (error instanceof NotRun) {
        const { id, file, line } = entry;
        notRun.push({ id, file, line, reason: error.message });
      } else throw error instanceof Mistake ? new RulesProblem(entry.file, entry.line, error.message) : error;
    }
  }
  const steps = (phase: Phase): readonly Step[] => stepsOf(phase, entries, compiled);
  return {
    phases: { 1: steps(1), 2: steps(2), 3: steps(3), 4: steps(4), 5: steps(5) },
    size: ALL_PHASES.reduce((sum, phase) => sum + steps(phase).length, 0),
    notRun,
    chains: chains.size,
  };
}

function stepsOf(phase: Phase, entries: readonly Entry[], compiled: ReadonlyMap<Draft, Rule>): readonly Step[] {
  const rules: Rule[] = [];
  /** Marker → how many rules of the phase stand before it. */
  const marks = new Map<string, number>();
  for (const entry of entries) {
    if (typeof entry === 'string') {
      marks.set(entry, rules.length);
      continue;
    }
    const rule = compiled.get(entry);
    if (rule?.phase === phase) rules.push(rule);
  }
  return rules.map((rule, index) => {
    if (rule.skipAfter === null) return { rule, next: index + 1 + rule.skip };
    const mark = marks.get(rule.skipAfter);
    return { rule, next: mark === undefined || mark <= index ? rules.length : mark };
  });
}

type DataOf = (file: string, name: string) => string | null;

function compileRule(draft: Draft, defaults: DefaultActions, chains: TransformChains, dataOf: DataOf): Rule {
  const fallback = defaults.get(draft.phase) ?? [];
  const { actions } = draft;
  const files: OperatorFiles = {
    data(name) {
      const text = dataOf(draft.file, name);
      if (text === null) throw new Mistake(`the file ${name} is not there`);
      return text;
    },
  };
  const silent = actions.findLast(({ name }) => name === 'log' || name === 'nolog')?.name === 'nolog';
  const skip = Number(lastOf(actions, 'skip') ?? 0);
  return {
    id: draft.id,
    phase: draft.phase,
    links: draft.links.map((link, index) =>
      compileLink(link, index === 0 ? [...allOf(fallback, 't'), ...allOf(actions, 't')] : allOf(link.actions, 't'), {
        chains,
        files,
        actions: index === 0 ? actions : link.actions,
      }),
    ),
    tags: allOf(actions, 'tag'),
    message: parseMacro(lastOf(actions, 'msg') ?? ''),
    data: parseMacro(lastOf(actions, 'logdata') ?? ''),
    severity: severityOf(lastOf(actions, 'severity') ?? ''),
    disruption: disruptionOf(actions, fallback),
    silent,
    skipAfter: lastOf(actions, 'skipafter'),
    skip: Number.isInteger(skip) && skip > 0 ? skip : 0,
  };
}

interface LinkEnv {
  readonly chains: TransformChains;
  readonly files: OperatorFiles;
  readonly actions: Draft['actions'] | DraftLink['actions'];
}

function compileLink(link: DraftLink, transformations: readonly string[], { chains, files, actions }: LinkEnv): Link {
  const has = (name: string): boolean => actions.some((action) => action.name === name);
  return {
    targets: link.targets === null ? null : compileTarget(link.targets),
    operator: link.operator === null ? () => MATCHED : compileOperator(link.operator, files),
    negated: link.operator?.negated === true,
    transform: chains.of(transformations),
    multiMatch: has('multimatch'),
    captures: has('capture'),
    effects: effectsOf(actions),
  };
}

function effectsOf(actions: LinkEnv['actions']): Effect[] {
  return actions.flatMap(({ name, value }) => {
    if (name === 'setvar') return [setVariable(value)];
    return name === 'ctl' ? [control(value)] : [];
  });
}

export const SEVERITIES = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const;

function severityOf(written: string): string {
  const lower = written.toLowerCase();
  return SEVERITIES[Number(lower)] ?? lower;
}
