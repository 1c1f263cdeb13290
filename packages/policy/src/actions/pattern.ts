/** Regular expressions of configs: RE2, filled in before they are read as patterns (traffic-policy.md §5). */
import { fail } from '@postern/errors';
import type { RE2JS } from 're2js';
import { literalRegex, regexOfRequest, TOO_LARGE_TOGETHER } from '../cel/functions/regex.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure, Fatal } from '../cel/value.ts';
import type { ActionEnv } from './action.ts';

export interface Pattern {
  /** null when it depends on the request. */
  readonly fixed: RE2JS | null;
  get(scope: Scope): RE2JS | Failure;
}

/**
 * What is missing in a pattern is a failure, never '': that would match more than was written.
 * @throws PosternError 2224, 2261
 */
export function compilePattern(source: string, field: string, env: ActionEnv): Pattern {
  const template = env.template(source, field);
  const path = `${env.path}${field}`;
  if (template.text !== null) {
    const fixed = literalRegex(template.text);
    if (fixed instanceof Failure) throw fail(2261, { path, reason: fixed.message });
    if (!env.program(fixed.programSize())) throw fail(2261, { path, reason: TOO_LARGE_TOGETHER });
    return { fixed, get: () => fixed };
  }
  const invalid = new Fatal(3901, { path });
  return {
    fixed: null,
    get(scope) {
      const text = template.require(scope);
      if (text instanceof Failure) return text;
      const regex = regexOfRequest(text, scope);
      return regex instanceof Failure ? invalid : regex;
    },
  };
}
