/** Directives → rules as they are written, in order, with those that change or take away other rules applied. */
import { parseDirectives, type Directive } from '../syntax/directives.ts';
import type { WrittenAction } from '../syntax/actions.ts';
import { parseOperator } from '../syntax/operator.ts';
import { Mistake, RulesProblem } from '../syntax/problem.ts';
import { parseTargets } from '../syntax/targets.ts';
import { allOf, type Draft, type DraftLink, lastOf, phaseOf, readActions } from './draft.ts';
import { idsOf } from './ids.ts';
import type { Phase } from './rule.ts';

export interface RulesFile {
  /** As it is shown in errors. */
  readonly name: string;
  /** Bytes, one to a character. */
  readonly text: string;
}

/** A rule, or the name of a marker. */
export type Entry = Draft | string;
export type DefaultActions = ReadonlyMap<Phase, readonly WrittenAction[]>;

/** Settings of servers; here the server's own, or an action's, stand in their place. */
const SETTINGS =
  /^(?:Sec(?:Argument|Audit|Cache|Collection|Component|Conn|Content|Cookie|Data|Debug|Disable|Geo|Gsb|Guardian|Hash|Http|Interceptor|Pcre|Read|Remote|Request|Response|RuleEngine|RulePerfTime|Rx|Sensor|Server|Status|Stream|Tmp|Unicode|Upload|Web|Write|Xml)|IncludeOptional$)/i;

/** @throws RulesProblem */
export function readFiles(files: readonly RulesFile[]): { entries: readonly Entry[]; defaults: DefaultActions } {
  const reader = new RulesReader();
  for (const { name, text } of files) {
    for (const directive of parseDirectives(name, text)) reader.take(directive);
    reader.endOfFile(name);
  }
  return { entries: reader.entries, defaults: reader.defaults };
}

class RulesReader {
  entries: Entry[] = [];
  readonly defaults = new Map<Phase, readonly WrittenAction[]>();
  readonly #ids = new Map<number, Draft>();
  /** Whose chain is not at its end. */
  #open: Draft | null = null;

  take(directive: Directive): void {
    try {
      this.#read(directive);
    } catch (error) {
      throw error instanceof Mistake ? new RulesProblem(directive.file, directive.line, error.message) : error;
    }
  }

  endOfFile(name: string): void {
    if (this.#open !== null) throw new RulesProblem(name, this.#open.line, 'the chain has no further rule');
  }

  #read(directive: Directive): void {
    const { name, args } = directive;
    const [first = '', second = '', third = ''] = args;
    const lower = name.toLowerCase();
    if (this.#open !== null && lower !== 'secrule') throw new Mistake(`${name} stands within a chain`);
    switch (lower) {
      case 'secrule':
        if (args.length < 2) throw new Mistake('SecRule needs variables and an operator');
        return this.#rule(directive, {
          targets: parseTargets(first),
          operator: parseOperator(second),
          actions: readActions(third),
        });
      case 'secaction':
        return this.#rule(directive, { targets: null, operator: null, actions: readActions(first) });
      case 'secmarker':
        return void this.entries.push(first);
      case 'secdefaultaction': {
        const actions = readActions(first);
        this.defaults.set(phaseOf(actions) ?? 2, actions);
        return;
      }
      case 'secruleremovebyid': {
        const has = idsOf(args.join(' '));
        return this.#remove((rule) => has(rule.id));
      }
      case 'secruleremovebytag':
        return this.#remove((rule) => allOf(rule.actions, 'tag').includes(first));
      case 'secruleremovebymsg':
        return this.#remove((rule) => lastOf(rule.actions, 'msg') === first);
      case 'secruleupdatetargetbyid': {
        const has = idsOf(first);
        return this.#retarget((rule) => has(rule.id), second);
      }
      case 'secruleupdatetargetbytag':
        return this.#retarget((rule) => allOf(rule.actions, 'tag').includes(first), second);
      case 'secruleupdatetargetbymsg':
        return this.#retarget((rule) => lastOf(rule.actions, 'msg') === first, second);
      case 'secruleupdateactionbyid': {
        const rule = this.#ids.get(Number(first));
        if (rule !== undefined) rule.actions = [...rule.actions, ...readActions(second)];
        return;
      }
      default:
        if (!SETTINGS.test(name)) throw new Mistake(`"${name.slice(0, 40)}" is no directive that is run here`);
    }
  }

  #rule({ file, line }: Directive, link: DraftLink): void {
    const chained = link.actions.some(({ name }) => name === 'chain');
    if (this.#open !== null) {
      this.#open.links.push(link);
      if (!chained) this.#open = null;
      return;
    }
    const id = Number(lastOf(link.actions, 'id') ?? Number.NaN);
    if (!Number.isInteger(id) || id <= 0) throw new Mistake('a rule needs an id');
    const other = this.#ids.get(id);
    if (other !== undefined) throw new Mistake(`the id ${id} is taken by a rule at ${other.file}:${other.line}`);
    const draft: Draft = {
      file,
      line,
      id,
      phase: phaseOf(link.actions) ?? 2,
      links: [link],
      actions: [...link.actions],
    };
    this.#ids.set(id, draft);
    this.entries.push(draft);
    if (chained) this.#open = draft;
  }

  #remove(fits: (rule: Draft) => boolean): void {
    this.entries = this.entries.filter((entry) => typeof entry === 'string' || !fits(entry));
  }

  #retarget(fits: (rule: Draft) => boolean, text: string): void {
    const more = parseTargets(text);
    for (const entry of this.entries) {
      if (typeof entry === 'string' || !fits(entry)) continue;
      const [first] = entry.links;
      if (first?.targets) first.targets = [...first.targets, ...more];
    }
  }
}
