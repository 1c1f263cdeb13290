/** `%{tx.score}` in texts of rules. */
import { isVariable, type VariableName } from '../variables/names.ts';

export interface MacroVariable {
  readonly variable: VariableName;
  /** '' = the variable itself. */
  readonly key: string;
}

export type Macro = readonly (string | MacroVariable)[];

const REFERENCE = /%\{([A-Za-z_]{1,40})(?:[.:]([^}]{0,100}))?\}/g;

/** What names no variable is left out, as nothing would be there. */
export function parseMacro(text: string): Macro {
  const parts: (string | MacroVariable)[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    if (match.index > from) parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const variable = (match[1] ?? '').toUpperCase();
    if (isVariable(variable)) parts.push({ variable, key: match[2] ?? '' });
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from));
  return parts;
}

/** The text itself where nothing has to be filled in, else null. */
export function fixedText(macro: Macro): string | null {
  const [only, ...others] = macro;
  return typeof only === 'string' && others.length === 0 ? only : null;
}
