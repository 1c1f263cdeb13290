/** Dotted names → variables: the longest declared name wins, because a name may be a value and a group at once (§6). */
import type { PhaseName } from '../../runtime.ts';
import { meant } from '../../schema/nearest.ts';
import { CelProblem } from '../failures.ts';
import { ADDRESS_VARIABLES } from './addresses.ts';
import { CONNECTION_VARIABLES } from './connection.ts';
import { REQUEST_VARIABLES, RESPONSE_VARIABLES } from './request.ts';
import type { Variable } from './variable.ts';

export type { Keyed, Variable } from './variable.ts';

export const VARIABLES: ReadonlyMap<string, Variable> = new Map(
  [...CONNECTION_VARIABLES, ...ADDRESS_VARIABLES, ...REQUEST_VARIABLES, ...RESPONSE_VARIABLES].map((variable) => [
    variable.name,
    variable,
  ]),
);

const ROOTS: ReadonlySet<string> = new Set(['conn', 'endpoint', 'req', 'res', 'time']);

/** Names that documentation samples use for something that has another name today. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'req.path': ['req', 'url', 'path'],
  'req.raw': ['req', 'url', 'raw_path'],
};

export interface Resolved {
  readonly variable: Variable;
  /** How many segments of the path the variable took. */
  readonly used: number;
  /** Named the old way (`res.StatusCode`), whose fixtures compare numbers with text. */
  readonly legacy: boolean;
}

/** Today's spelling of a path, and whether it was spelled the old way. */
export function modernPath(path: readonly string[]): { path: readonly string[]; legacy: boolean } {
  let modern = path[0] === 'request' ? ['req', ...path.slice(1)] : path;
  const root = modern[0];
  let legacy = false;
  if ((root === 'req' || root === 'res' || root === 'conn') && /^[A-Z]/.test(modern[1] ?? '')) {
    legacy = true;
    modern = modern.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase());
  }
  const alias = ALIASES[modern.slice(0, 2).join('.')];
  if (alias !== undefined) modern = [...alias, ...modern.slice(2)];
  return { path: modern, legacy };
}

/** @throws CelProblem when there is no such variable, or not in this phase. */
export function resolveVariable(path: readonly string[], phase: PhaseName): Resolved {
  const { path: modern, legacy } = modernPath(path);
  const removed = path.length - modern.length;
  for (let used = modern.length; used > 0; used--) {
    const variable = VARIABLES.get(modern.slice(0, used).join('.'));
    if (variable === undefined) continue;
    const rest = modern.slice(used);
    if (rest.length > 0 && variable.type !== 'map' && variable.type !== 'dyn') break;
    if (!variable.phases.includes(phase)) {
      throw new CelProblem(`${variable.name} does not exist in ${phase}; it exists in ${variable.phases.join(', ')}`);
    }
    return { variable, used: used + removed, legacy };
  }
  throw unknown(modern, path, phase);
}

function unknown(modern: readonly string[], path: readonly string[], phase: PhaseName): CelProblem {
  const name = path.join('.');
  const prefix = `${modern.join('.')}.`;
  for (const known of VARIABLES.keys()) {
    if (known.startsWith(prefix)) return new CelProblem(`${name} is a group of variables, such as ${known}`);
  }
  const here = [...VARIABLES.values()].filter((one) => one.phases.includes(phase)).map((one) => one.name);
  if (ROOTS.has(modern[0] ?? '')) return new CelProblem(`there is no variable ${name}${meant(modern.join('.'), here)}`);
  const root = path[0] ?? name;
  return new CelProblem(`there is no variable "${root}"${meant(path.length === 1 ? root : name, [...ROOTS, ...here])}`);
}
