/** The third word of a rule: `id:1,phase:2,msg:'It, says',t:none`. */
import { Mistake } from './problem.ts';

export interface WrittenAction {
  /** Lower-case. */
  readonly name: string;
  readonly value: string;
}

/** @throws Mistake */
export function parseActions(text: string): WrittenAction[] {
  const actions: WrittenAction[] = [];
  let at = 0;
  while (at < text.length) {
    const { piece, next } = pieceFrom(text, at);
    at = next;
    const trimmed = piece.trim();
    if (trimmed === '') continue;
    const colon = trimmed.indexOf(':');
    const name = (colon < 0 ? trimmed : trimmed.slice(0, colon)).trim().toLowerCase();
    const value = colon < 0 ? '' : unquoted(trimmed.slice(colon + 1).trim());
    if (!/^[a-z]+$/.test(name)) throw new Mistake(`"${trimmed.slice(0, 40)}" is no action`);
    actions.push({ name, value });
  }
  return actions;
}

/** Up to the next comma that is not within quotes. */
function pieceFrom(text: string, from: number): { piece: string; next: number } {
  let quoted = false;
  let at = from;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === "'") quoted = !quoted;
    else if (char === ',' && !quoted) break;
  }
  if (quoted) throw new Mistake(`a quote (') is not closed`);
  return { piece: text.slice(from, at), next: at + 1 };
}

function unquoted(text: string): string {
  const inner = text.startsWith("'") && text.endsWith("'") && text.length > 1 ? text.slice(1, -1) : text;
  return inner.replaceAll("\\'", "'");
}
