/** What a request counts for: the values of a rule's key, as one text that no other values give. */
import { createHash } from 'node:crypto';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Eval, Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import { textOf } from '../../interpolation/template.ts';

/** Characters. Visitors choose what is in a key, and its text is kept as long as the count: longer ones are digested. */
const MOST_KEPT = 128;

/** A value that is missing is "": whoever leaves a header out shares one bucket. */
export function bucketOf(parts: readonly Eval[], scope: Scope): string | Failure {
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    const value = part(scope);
    if (scope.budget < 0) return TOO_MANY_STEPS;
    if (value instanceof Failure && !value.absent) return value;
    const text = value instanceof Failure ? '' : textOf(value, scope);
    if (text instanceof Failure) return text;
    texts.push(text);
    length += text.length;
  }
  // Quoted, then perhaps digested.
  if (!spend(scope, 20 + length * (length > MOST_KEPT ? 2 : 1))) return TOO_MANY_STEPS;
  const joined = JSON.stringify(texts);
  return joined.length <= MOST_KEPT ? joined : digest(joined, scope);
}

/** No list in JSON begins as this does. */
function digest(text: string, scope: Scope): string | Failure {
  if (!spend(scope, 300 + text.length)) return TOO_MANY_STEPS;
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}
