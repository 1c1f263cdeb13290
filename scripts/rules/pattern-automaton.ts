/**
 * What a backtracking matcher can do with a pattern, as an automaton: one state for each character of the pattern (Glushkov), and between two of them
 * as many edges as there are ways. Bounded repetitions are unrolled up to three times, those beyond a hundred count as unbounded.
 */
import { RegExpParser, type AST } from '@eslint-community/regexpp';

/** Every way is counted up to two: more than one is all that matters. */
type Ways = Map<number, number>;

export interface Automaton {
  /** Which of the sampled characters a state takes. */
  readonly takes: readonly bigint[];
  /** `follow[a]`: what may come behind a, and by how many ways. */
  readonly follow: readonly Ways[];
  /** Where a match may begin that does not begin with the text. */
  readonly searched: ReadonlySet<number>;
  /** Where a match may end whatever comes. */
  readonly ends: ReadonlySet<number>;
}

/** A part of the pattern. `sure` says whether an end here is one whatever comes (no `$`, `\b` or lookahead behind it). */
interface Part {
  readonly first: Ways;
  readonly last: Ways;
  readonly empty: number;
  /** The same with `^` taken for impossible: what a search that goes on through the text can use. */
  readonly inner: { readonly first: ReadonlySet<number>; readonly empty: boolean };
  readonly sure: { readonly last: ReadonlySet<number>; readonly empty: boolean };
}

const UNROLLED = 3;
const AS_UNBOUNDED = 100;
const SAMPLES = [
  ...Array.from({ length: 0x1_80 }, (_, code) => String.fromCodePoint(code)),
  '\u212A',
  '\u2028',
  '\u3000',
  '\uFEFF',
  '\uD83D',
  '\uDE00',
  '\u4E00',
  '\u{1F600}',
];

const capped = (ways: number): number => Math.min(ways, 2);
const join = (one: Ways, other: Ways, times = 1): Ways => {
  const all = new Map(one);
  for (const [state, ways] of other) if (times > 0) all.set(state, capped((all.get(state) ?? 0) + ways * times));
  return all;
};
const union = <T>(one: ReadonlySet<T>, other: ReadonlySet<T>): ReadonlySet<T> => new Set([...one, ...other]);
const NOTHING: ReadonlySet<number> = new Set();

function blank(inner: boolean, sure: boolean): Part {
  return {
    first: new Map(),
    last: new Map(),
    empty: 1,
    inner: { first: NOTHING, empty: inner },
    sure: { last: NOTHING, empty: sure },
  };
}

class Builder {
  readonly takes: bigint[] = [];
  readonly follow: Ways[] = [];
  readonly #flags: string;
  readonly #multiline: boolean;

  constructor(flags: string) {
    this.#flags = flags.replaceAll(/[gyd]/g, '');
    this.#multiline = flags.includes('m');
  }

  alternatives(of: readonly AST.Alternative[]): Part {
    const [head, ...rest] = of.map((alternative) =>
      alternative.elements
        .map((element) => this.#element(element))
        .reduce((one, other) => this.#behind(one, other), blank(true, true)),
    );
    return rest.reduce(
      (one, other) => ({
        first: join(one.first, other.first),
        last: join(one.last, other.last),
        empty: capped(one.empty + other.empty),
        inner: { first: union(one.inner.first, other.inner.first), empty: one.inner.empty || other.inner.empty },
        sure: { last: union(one.sure.last, other.sure.last), empty: one.sure.empty || other.sure.empty },
      }),
      head ?? blank(true, true),
    );
  }

  #element(element: AST.Element): Part {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#character(element.raw);
      case 'Group':
      case 'CapturingGroup':
        if (element.type === 'Group' && element.modifiers) throw new Error('modifiers are not judged');
        return this.alternatives(element.alternatives);
      case 'Quantifier':
        return this.#repeated(element);
      case 'Assertion':
        if (element.kind === 'start') return blank(this.#multiline, true);
        if ('alternatives' in element && /[*+]|,\}/.test(element.raw))
          throw new Error('a repetition in a lookaround is not judged');
        return blank(true, false);
      default:
        throw new Error(`${element.type} is not judged`);
    }
  }

  #character(raw: string): Part {
    const one = new RegExp(`^(?:${raw})$`, this.#flags.replace('m', ''));
    const state = this.takes.length;
    this.takes.push(SAMPLES.reduce((taken, sample, at) => (one.test(sample) ? taken | (1n << BigInt(at)) : taken), 0n));
    this.follow.push(new Map());
    const here = new Map([[state, 1]]);
    const only = new Set([state]);
    return {
      first: here,
      last: here,
      empty: 0,
      inner: { first: only, empty: false },
      sure: { last: only, empty: false },
    };
  }

  #repeated({ min, max, element }: AST.Quantifier): Part {
    const endless = max > AS_UNBOUNDED;
    const needed = Math.min(min, UNROLLED - 1);
    const most = endless ? Math.max(needed, 1) : Math.min(max, UNROLLED);
    let whole = blank(true, true);
    // From within, as a(a(a)?)?: optional ones side by side would be ways of their own.
    for (let at = most - 1; at >= 0; at--) {
      const part = this.#element(element);
      if (endless && at === most - 1) this.#link(part.last, part.first);
      const further = this.#behind(part, whole);
      whole = at < needed ? further : this.#optional(further);
    }
    return whole;
  }

  /** An optional round that takes nothing is none (ECMA-262, RepeatMatcher). */
  #optional(part: Part): Part {
    return { ...part, empty: 1, inner: { ...part.inner, empty: true }, sure: { ...part.sure, empty: true } };
  }

  #behind(one: Part, other: Part): Part {
    this.#link(one.last, other.first);
    return {
      first: join(one.first, other.first, one.empty),
      last: join(other.last, one.last, other.empty),
      empty: capped(one.empty * other.empty),
      inner: {
        first: union(one.inner.first, one.inner.empty ? other.inner.first : NOTHING),
        empty: one.inner.empty && other.inner.empty,
      },
      sure: {
        last: union(other.sure.last, other.sure.empty ? one.sure.last : NOTHING),
        empty: one.sure.empty && other.sure.empty,
      },
    };
  }

  #link(from: Ways, to: Ways): void {
    for (const [state, ways] of from) {
      const follow = this.follow[state];
      if (follow) this.follow[state] = join(follow, to, ways);
    }
  }
}

/** @throws Error for what is not judged (back references, repetitions in lookarounds, sets of strings). */
export function automatonOf(pattern: string, flags: string): Automaton {
  const parsed = new RegExpParser().parsePattern(pattern, 0, pattern.length, {
    unicode: flags.includes('u'),
    unicodeSets: flags.includes('v'),
  });
  const builder = new Builder(flags);
  const whole = builder.alternatives(parsed.alternatives);
  const searched = flags.includes('y') ? NOTHING : whole.inner.first;
  return { takes: builder.takes, follow: builder.follow, searched, ends: whole.sure.last };
}
