/** The second word of a rule: `@rx ^a`, `!@within %{tx.allowed}`, `^a` (which is `@rx`). */

export interface WrittenOperator {
  /** Lower-case. */
  readonly name: string;
  readonly argument: string;
  readonly negated: boolean;
}

export function parseOperator(text: string): WrittenOperator {
  const trimmed = text.trim();
  const negated = trimmed.startsWith('!');
  const rest = negated ? trimmed.slice(1).trimStart() : trimmed;
  if (!rest.startsWith('@')) return { name: 'rx', argument: rest, negated };
  const end = rest.search(/\s/);
  if (end < 0) return { name: rest.slice(1).toLowerCase(), argument: '', negated };
  return { name: rest.slice(1, end).toLowerCase(), argument: rest.slice(end + 1).trim(), negated };
}
