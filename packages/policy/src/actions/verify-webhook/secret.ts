/** The secret of a rule, made ready for its provider. */
import { fail } from '@postern/errors';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import type { Scheme, Verify } from './schemes/scheme.ts';

export interface Secret {
  readonly text: string;
  readonly verify: Verify;
}

/**
 * One without expressions is made ready with the policy; another one when its text changes.
 * @throws PosternError 2204 when it cannot be the provider's
 */
export function secretOf(template: Template, scheme: Scheme, path: string): (scope: Scope) => Secret | Failure {
  if (template.text !== null) {
    const fixed = ready(template.text, scheme);
    if (fixed instanceof Failure) throw fail(2204, { path, reason: fixed.message });
    return () => fixed;
  }
  let current: Secret | null = null;
  return (scope) => {
    const text = template.require(scope);
    if (text instanceof Failure) return text;
    if (current?.text === text) return current;
    const made = ready(text, scheme);
    if (!(made instanceof Failure)) current = made;
    return made;
  };
}

function ready(text: string, scheme: Scheme): Secret | Failure {
  // Everybody knows that one.
  if (text === '') return new Failure('the secret is empty');
  const verify = scheme.prepare(text);
  return typeof verify === 'string' ? new Failure(verify) : { text, verify };
}
