/** The request's URL with what matches a pattern replaced: what `redirect` sends visitors to, and `url-rewrite` asks for. */
import { TOO_MANY_STEPS } from '../cel/limits.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure } from '../cel/value.ts';
import { spend } from '../cel/work.ts';
import type { Template } from '../interpolation/template.ts';
import type { ActionEnv } from './action.ts';
import { compilePattern } from './pattern.ts';
import { parseReplacement, replaceAll } from './replace.ts';
import { requestUrl } from './request-url.ts';

/** null = the URL stays what it is. `matches` gets what was replaced, where somebody asks. */
export type UrlMaker = (scope: Scope, matches: string[] | null) => string | Failure | null;

/**
 * @param finish what is made as it would be sent; compared in that form
 * @throws PosternError 2224, 2261
 */
export function rewrittenUrl(
  from: string,
  to: Template,
  env: ActionEnv,
  finish: (url: string, scope: Scope) => string | Failure,
): UrlMaker {
  const pattern = compilePattern(from, '.from', env);
  const fixed = pattern.fixed === null || to.text === null ? null : parseReplacement(to.text, pattern.fixed);
  return (scope, matches) => {
    const { req } = scope.context;
    if (req === null) return null;
    const regex = pattern.get(scope);
    if (regex instanceof Failure) return regex;
    let replacement = fixed;
    if (replacement === null) {
      const text = to.render(scope);
      if (text instanceof Failure) return text;
      if (!spend(scope, text.length)) return TOO_MANY_STEPS;
      replacement = parseReplacement(text, regex);
    }
    const url = requestUrl(req, scope);
    const made = replaceAll(url, regex, replacement, matches, scope);
    const finished = made instanceof Failure ? made : finish(made, scope);
    return finished === url ? null : finished;
  };
}
