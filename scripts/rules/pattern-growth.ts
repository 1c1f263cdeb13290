/**
 * How the work of a backtracking matcher grows with the text (Weber and Seidl, "On the degree of ambiguity of finite automata", 1991): more than
 * linearly when a state has two ways back to itself over the same text (exponential), or leads over a text both to itself and to another that the same
 * text leads back to itself (a power). The search for where a match begins is such a first state: it goes on over every text.
 */
import { automatonOf, type Automaton } from './pattern-automaton.ts';

/** Why a pattern may take more than linear time, or undefined. Assumes that the text can be such that what is tried fails in the end. */
export function growthOf(pattern: string, flags: string): string | undefined {
  let automaton: Automaton;
  try {
    automaton = automatonOf(pattern, flags);
  } catch (error) {
    return `cannot be judged: ${error instanceof Error ? error.message : String(error)}`;
  }
  const reach = closure(automaton);
  const cyclic = automaton.takes.map((_, state) => state).filter((state) => reach[state]?.has(state));
  for (const state of cyclic)
    for (const [next, ways] of automaton.follow[state] ?? [])
      if (ways > 1 && reach[next]?.has(state)) return 'has two ways round a loop over the same text';
  for (const from of cyclic)
    for (const to of cyclic)
      if (from !== to && reach[from]?.has(to) && leads(automaton, [from, from, to], [from, to, to]))
        return 'has two loops that share a text';
  for (const to of cyclic)
    if (searchMeets(automaton, to)) return 'begins anew at each character of a text that a loop of it takes';
  return undefined;
}

/** From each state, what is reached by at least one character. */
function closure({ follow }: Automaton): readonly ReadonlySet<number>[] {
  return follow.map((next) => {
    const found = new Set<number>(next.keys());
    for (const state of found) for (const further of follow[state]?.keys() ?? []) found.add(further);
    return found;
  });
}

/** Whether one text leads each of three walkers from `start` to `goal`, in at least one step. */
function leads(automaton: Automaton, start: Three, goal: Three): boolean {
  return walk([start], goal, (state) => [...(automaton.follow[state]?.keys() ?? [])], automaton.takes);
}

/** The search goes on while a match that began on the way loops at `to` and an earlier one too, without an end of a match in the loop. */
function searchMeets({ takes, follow, searched, ends }: Automaton, to: number): boolean {
  if (ends.has(to)) return false;
  const outside = takes.length;
  const everything = takes.reduce((all, taken) => all | taken, 0n);
  const next = (state: number): readonly number[] =>
    state === outside ? [outside, ...searched] : [...(follow[state]?.keys() ?? [])];
  // The last walker is the match that loops: where it could end, the search would have ended.
  return walk([[outside, outside, to]], [outside, to, to], next, [...takes, everything], ends);
}

type Three = readonly [number, number, number];

function walk(
  starts: readonly Three[],
  goal: Three,
  next: (state: number) => readonly number[],
  takes: readonly bigint[],
  barred: ReadonlySet<number> = new Set(),
): boolean {
  const size = takes.length;
  const key = ([a, b, c]: Three): number => (a * size + b) * size + c;
  const seen = new Set<number>();
  const queue = [...starts];
  for (const [one, two, three] of queue)
    for (const a of next(one))
      for (const b of next(two)) {
        const both = (takes[a] ?? 0n) & (takes[b] ?? 0n);
        if (both === 0n) continue;
        for (const c of next(three)) {
          const there: Three = [a, b, c];
          if (barred.has(c) || (both & (takes[c] ?? 0n)) === 0n || seen.has(key(there))) continue;
          if (a === goal[0] && b === goal[1] && c === goal[2]) return true;
          seen.add(key(there));
          queue.push(there);
        }
      }
  return false;
}
