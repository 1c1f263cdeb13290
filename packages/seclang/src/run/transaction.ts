/** One message under the rules: what they have written down so far, and what they may look at. */
import type { OperatorScope } from '../operators/operator.ts';
import type { RuleFacts } from '../rules/rule-facts.ts';
import type { Selector } from '../rules/target.ts';
import type { TransformChain } from '../rules/transform-chain.ts';
import type { Macro } from '../syntax/macro.ts';
import { COLLECT } from '../variables/collections.ts';
import { type Field, NO_FIELDS } from '../variables/field.ts';
import { isCollection, type VariableName } from '../variables/names.ts';
import type { RequestParts } from '../variables/request.ts';
import { READ } from '../variables/scalars.ts';
import type { Source } from '../variables/source.ts';
import type { ResponseMessage } from './message.ts';
import type { Work } from './work.ts';

/** Characters of a text that variables are filled into, and names that rules write down. */
const MOST_TEXT = 8_192;
const MOST_NAMES = 2_000;

/** What is taken away from rules for this message alone. */
export interface Removal {
  readonly fits: (rule: RuleFacts) => boolean;
  /** null = all of the rule. */
  readonly selector: Selector | null;
}

/** Variables that are the same however often they are asked for, until the body comes. */
const CHANGING: ReadonlySet<VariableName> = new Set<VariableName>([
  'DURATION',
  'GLOBAL',
  'IP',
  'MATCHED_VAR',
  'MATCHED_VARS',
  'MATCHED_VARS_NAMES',
  'MATCHED_VAR_NAME',
  'REQBODY_PROCESSOR',
  'REQUEST_BODY',
  'RESOURCE',
  'RULE',
  'SESSION',
  'TX',
  'USER',
]);

export class Transaction implements OperatorScope, Source {
  readonly request: RequestParts;
  response: ResponseMessage | null = null;
  readonly work: Work;
  /** TX and its like: collection → name in lower case → value. */
  readonly #stores = new Map<string, Map<string, Field>>();
  readonly #collected = new Map<VariableName, readonly Field[]>();
  /** By transformations: what they made of a value. */
  readonly #transformed: (Map<string, string> | undefined)[] = [];
  readonly removals: Removal[] = [];
  matched: Field[] = [];
  rule: RuleFacts | null = null;
  captures = false;
  off = false;
  requestBody = true;
  responseBody = true;

  constructor(request: RequestParts, work: Work) {
    this.request = request;
    this.work = work;
  }

  spend(units: number): void {
    this.work.spend(units);
  }

  measure<T>(work: () => T): T {
    return this.work.measure(work);
  }

  /** The body may be looked at from now on. */
  bodyComes(): void {
    this.request.hasBody = true;
    this.#collected.clear();
  }

  responseComes(response: ResponseMessage): void {
    this.response = response;
    this.#collected.clear();
  }

  fields(variable: VariableName): readonly Field[] {
    const known = this.#collected.get(variable);
    if (known !== undefined) return known;
    const fields = isCollection(variable)
      ? COLLECT[variable](this, variable)
      : [{ name: variable, key: '', value: READ[variable](this) }];
    this.spend(5 + fields.length);
    if (!CHANGING.has(variable)) this.#collected.set(variable, fields);
    return fields;
  }

  transformed(value: string, chain: TransformChain): string {
    if (chain.parent === null) return value;
    const known = (this.#transformed[chain.index] ??= new Map());
    let result = known.get(value);
    if (result === undefined) {
      const before = this.transformed(value, chain.parent);
      this.spend(10 + before.length);
      result = chain.transform(before);
      known.set(value, result);
    }
    return result;
  }

  expand(macro: Macro): string {
    let text = '';
    for (const part of macro) {
      text += typeof part === 'string' ? part : this.value(part.variable, part.key);
      if (text.length > MOST_TEXT) return text.slice(0, MOST_TEXT);
    }
    this.spend(text.length);
    return text;
  }

  /** The first value of that name; '' = none. */
  value(variable: VariableName, key: string): string {
    const stored = this.#stores.get(variable);
    if (stored !== undefined) return stored.get(key.toLowerCase())?.value ?? '';
    const fields = this.fields(variable);
    if (key === '') return fields[0]?.value ?? '';
    const lower = key.toLowerCase();
    return fields.find((field) => field.key === lower)?.value ?? '';
  }

  stored(collection: string): readonly Field[] {
    const store = this.#stores.get(collection);
    return store === undefined ? NO_FIELDS : [...store.values()];
  }

  store(collection: string, name: string, value: string | null): void {
    const key = name.toLowerCase();
    let store = this.#stores.get(collection);
    if (store === undefined) {
      store = new Map();
      this.#stores.set(collection, store);
    }
    if (value === null) store.delete(key);
    else if (store.has(key) || store.size < MOST_NAMES) store.set(key, { name: `${collection}:${name}`, key, value });
  }

  /** Remembers what matched, for the rule's own texts and for those behind it. */
  match(field: Field, groups: readonly string[]): void {
    this.matched.push(field);
    if (!this.captures) return;
    for (let group = 0; group <= 9; group++) this.store('TX', String(group), groups[group] ?? null);
  }
}
