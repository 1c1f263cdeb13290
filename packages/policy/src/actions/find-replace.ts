/** What the actions that find and replace have in common: their replacements, made ready for one message. */
import type { RE2JS } from 're2js';
import { TOO_MANY_STEPS } from '../cel/limits.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure } from '../cel/value.ts';
import { spend } from '../cel/work.ts';
import type { Template } from '../interpolation/template.ts';
import type { Effort } from '../regex/effort.ts';
import { engineOf } from '../regex/engine.ts';
import { Replacing, type Progress, type ReplacementBytes, type Room } from '../regex/replace-bytes.ts';
import type { ActionEnv } from './action.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { parseReplacement } from './replace.ts';

/** What is to be found, and what comes in its place. */
export interface ReadyReplacement {
  readonly regex: RE2JS;
  readonly to: ReplacementBytes;
}

/** Of an action's replacements, one that has found something. */
export interface Found {
  readonly index: number;
  /** What it found first. */
  readonly content: Buffer;
}

interface CompiledReplacement {
  readonly pattern: Pattern;
  readonly to: Template;
  /** null when it depends on the message. */
  readonly fixed: ReadyReplacement | null;
}

/** @throws PosternError 2224, 2261 */
export function compileReplacements(
  written: readonly { readonly from: string; readonly to: string }[],
  env: ActionEnv,
): (scope: Scope) => readonly ReadyReplacement[] | Failure {
  const compiled = written.map(({ from, to }, index) => compileReplacement(from, to, `.replacements[${index}]`, env));
  const fixed = compiled.flatMap((one) => (one.fixed === null ? [] : [one.fixed]));
  return (scope) => {
    if (fixed.length === compiled.length) return fixed;
    const ready: ReadyReplacement[] = [];
    for (const one of compiled) {
      const made = one.fixed ?? makeReady(one, scope);
      if (made instanceof Failure) return made;
      ready.push(made);
    }
    return ready;
  };
}

function compileReplacement(from: string, to: string, field: string, env: ActionEnv): CompiledReplacement {
  const pattern = compilePattern(from, `${field}.from`, env);
  const template = env.template(to, `${field}.to`);
  const fixed =
    pattern.fixed === null || template.text === null
      ? null
      : { regex: pattern.fixed, to: bytesOf(template.text, pattern.fixed) };
  return { pattern, to: template, fixed };
}

function makeReady({ pattern, to }: CompiledReplacement, scope: Scope): ReadyReplacement | Failure {
  const regex = pattern.get(scope);
  if (regex instanceof Failure) return regex;
  const filled = to.render(scope);
  if (filled instanceof Failure) return filled;
  return spend(scope, filled.length) ? { regex, to: bytesOf(filled, regex) } : TOO_MANY_STEPS;
}

function bytesOf(to: string, regex: RE2JS): ReplacementBytes {
  return parseReplacement(to, regex).map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part));
}

/** Replacements under way in one text, one behind the other: each works on what the one before it made. */
export class Rewriting {
  readonly found: Found[] = [];
  #text: Buffer;
  readonly #replacements: readonly ReadyReplacement[];
  readonly #room: Room;
  #index = 0;
  #current: Replacing | null = null;
  /** Memory of the text, where it has been made here, and memory that may be written to. */
  #own: Buffer | null = null;
  #spare: Buffer | null = null;

  constructor(bytes: Buffer, replacements: readonly ReadyReplacement[], room: Room) {
    this.#text = bytes;
    this.#replacements = replacements;
    this.#room = room;
  }

  /** What has been made of the text. */
  get text(): Buffer {
    return this.#text;
  }

  advance(effort: Effort): Progress {
    for (
      let replacement = this.#replacements[this.#index];
      replacement !== undefined;
      replacement = this.#replacements[this.#index]
    ) {
      if (effort.left <= 0) return 'more';
      this.#current ??= new Replacing(
        this.#text,
        engineOf(replacement.regex, effort),
        replacement.to,
        this.#room,
        this.#spare,
      );
      const progress = this.#current.advance(effort);
      if (progress !== 'done') return progress;
      const { first, text, scratch } = this.#current;
      this.#spare = scratch;
      if (first !== null) {
        this.found.push({ index: this.#index, content: first });
        this.#text = text;
        this.#spare = this.#own;
        this.#own = scratch;
      }
      this.#current = null;
      this.#index++;
    }
    return 'done';
  }
}

/** As `actions.ngrok.<name>` has it. */
export function resultOf(found: readonly Found[]): object {
  return {
    replacements: found.map(({ index, content }) => ({
      replacement_index: index,
      matched_content: content.toString('utf8'),
    })),
  };
}
