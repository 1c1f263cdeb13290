/**
 * Finds the `${…}` of a config string (traffic-policy.md §5). Braces inside an expression must balance; those inside
 * CEL string literals do not count. `$${` stands for a literal `${`. Browser-safe.
 */
export interface Expression {
  readonly expression: string;
  /** Of the first character after `${`. */
  readonly offset: number;
}

export type Part = string | Expression;

/** Why a template cannot be read. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem';
}

/** @throws TemplateProblem when a `${` is never closed or is empty. */
export function scanTemplate(text: string): Part[] {
  const parts: Part[] = [];
  let literal = '';
  let from = 0;
  for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', from)) {
    if (at > from && text[at - 1] === '$') {
      literal += `${text.slice(from, at - 1)}\${`;
      from = at + 2;
      continue;
    }
    literal += text.slice(from, at);
    const end = expressionEnd(text, at + 2);
    const expression = text.slice(at + 2, end);
    if (expression.trim() === '') throw new TemplateProblem('there is nothing between ${ and }');
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push({ expression, offset: at + 2 });
    from = end + 1;
  }
  literal += text.slice(from);
  if (literal !== '') parts.push(literal);
  return parts;
}

/** Whether the text has any expression; for schemas that check only plain values. Never throws. */
export function hasExpression(text: string): boolean {
  for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', at + 2)) {
    if (at === 0 || text[at - 1] !== '$') return true;
  }
  return false;
}

function expressionEnd(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (c === "'" || c === '"') i = literalEnd(text, i, isRaw(text, i, start));
    else if (c === '{') depth++;
    else if (c === '}') {
      if (depth === 0) return i;
      depth--;
    }
  }
  throw new TemplateProblem('a ${ is not closed by }');
}

/** r'…', rb'…' and br'…' have no escapes. */
function isRaw(text: string, quote: number, start: number): boolean {
  let i = quote - 1;
  let raw = false;
  while (i >= start && quote - i <= 2 && /[rRbB]/.test(text[i] ?? '')) {
    if (/[rR]/.test(text[i] ?? '')) raw = true;
    i--;
  }
  // A longer word before the quote is an identifier, not a prefix (and then the expression is wrong anyway).
  return raw && !(i >= start && /\w/.test(text[i] ?? ''));
}

/** @returns the index of the last quote of the literal that starts at `open`. */
function literalEnd(text: string, open: number, raw: boolean): number {
  const quote = text[open] ?? '';
  const triple = text.startsWith(quote.repeat(3), open);
  const close = triple ? quote.repeat(3) : quote;
  for (let i = open + close.length; i < text.length; i++) {
    if (text[i] === '\\' && !raw) i++;
    else if (text.startsWith(close, i)) return i + close.length - 1;
  }
  throw new TemplateProblem(`a string that begins with ${quote} is not closed`);
}
