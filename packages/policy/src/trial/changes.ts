/** What an action has changed: the message before and after it, in words. */
import type { Scope } from '../cel/scope.ts';
import { plainOf } from './plain.ts';

export interface Snapshot {
  /** One line each, of the kinds that stand before them. */
  readonly lines: readonly string[];
}

export function snapshot({ context, vars }: Scope): Snapshot {
  const { req, res } = context;
  const lines: string[] = [];
  if (req !== null) {
    lines.push(`the request ${req.method} ${req.scheme}://${req.authority}${req.target}`);
    for (const [name, value] of req.headers.entries()) lines.push(`request header ${name}: ${value}`);
  }
  if (res !== null) {
    lines.push(`the status ${res.statusCode}`);
    for (const [name, value] of res.headers.entries()) lines.push(`response header ${name}: ${value}`);
  }
  for (const [name, value] of vars) lines.push(`vars.${name} = ${JSON.stringify(plainOf(value))}`);
  return { lines };
}

/** Clauses without subject. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const gone = without(before.lines, after.lines);
  const come = without(after.lines, before.lines);
  return [
    ...gone.filter((line) => !/^(?:the |vars\.)/.test(line)).map((line) => `takes away ${line}`),
    ...come.map((line) => (line.startsWith('vars.') ? `sets ${line}` : madeOf(line))),
  ];
}

function madeOf(line: string): string {
  return line.startsWith('the ') ? `makes ${line}` : `adds ${line}`;
}

/** Lines of `a` that `b` lacks; of equal ones as many as there are more. */
function without(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of b) left.set(line, (left.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
