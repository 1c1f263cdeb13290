/** The first word of a rule: `ARGS|!ARGS:token|&REQUEST_HEADERS:Host|TX:/^header_/`. */
import { isVariable, type VariableName } from '../variables/names.ts';
import { Mistake } from './problem.ts';

export interface WrittenTarget {
  readonly variable: VariableName;
  /** What of it: a name, a pattern between slashes; '' = all. */
  readonly key: string;
  readonly pattern: boolean;
  /** `&`: how many there are. */
  readonly counts: boolean;
  /** `!`: what is not looked at. */
  readonly excludes: boolean;
}

/** @throws Mistake */
export function parseTargets(text: string): WrittenTarget[] {
  const targets = splitTargets(text).map(targetOf);
  if (targets.length === 0) throw new Mistake('no variables');
  return targets;
}

/** At bars, but not at those within a pattern. */
function splitTargets(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let inPattern = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') {
      part += char + text.charAt(++at);
      continue;
    }
    if (char === '/' && (inPattern || part.endsWith(':')))
      inPattern = !inPattern && !part.toUpperCase().startsWith('XML');
    if ((char === '|' || char === ',') && !inPattern) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts.map((one) => one.trim()).filter((one) => one !== '');
}

function targetOf(text: string): WrittenTarget {
  const counts = text.startsWith('&');
  const excludes = text.startsWith('!');
  const rest = counts || excludes ? text.slice(1) : text;
  const colon = rest.indexOf(':');
  const name = (colon < 0 ? rest : rest.slice(0, colon)).trim().toUpperCase();
  if (!isVariable(name)) throw new Mistake(`"${name}" is no variable`);
  let key = colon < 0 ? '' : rest.slice(colon + 1).trim();
  if (key.length > 1 && key.startsWith("'") && key.endsWith("'")) key = key.slice(1, -1);
  const pattern = name !== 'XML' && key.length > 1 && key.startsWith('/') && key.endsWith('/');
  return { variable: name, key: pattern ? key.slice(1, -1) : key, pattern, counts, excludes };
}
