/** Policies with faults in their values: other ones, gone, moved, renamed, nested. */
import type { Dice } from '@postern/edge/testing/dice';
import { materialOf, mutateText } from './mutate.ts';

const TEXTS = materialOf(
  [''],
  [
    '${',
    '}',
    '$${',
    '(?i)(a+)+$',
    ' && ',
    ' || !',
    '.all(x, x',
    "req.headers['x'][0]",
    "secrets.get('a', 'b')",
    'vars.a',
    '9223372036854775807',
    '[',
    ']',
    '{',
    ': ',
    '\n  ',
    '- ',
    '&a ',
    '*a',
  ],
);
const NAMES = [
  '__proto__',
  'constructor',
  'actions',
  'expressions',
  'type',
  'config',
  'name',
  'on_http_request',
  '',
] as const;
const VALUES: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1e21,
  Number.NaN,
  '',
  ' ',
  '${',
  '${req.method}',
  '${vars.x}',
  "${req.headers['a'][0]}",
  '${1/0}',
  '30',
  '30s',
  '-5m',
  [],
  {},
  [[]],
  { a: 1 },
  { type: 'deny' },
  'a'.repeat(20_000),
  '((((((((((',
  '0.0.0.0/0',
  '\u0000',
  '\ud800',
];

export function mutatedPolicyText(text: string, dice: Dice): string {
  let out = text;
  for (let left = 1 + dice.below(4); left > 0; left--) out = mutateText(out, TEXTS, dice);
  return out;
}

export function mutatedPolicy(policy: object, dice: Dice): object {
  const copy: object = structuredClone(policy);
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const [first, ...rest] = placesIn(copy, []);
    if (first === undefined) break;
    const [holder, key] = dice.pick([first, ...rest]);
    const value: unknown = Reflect.get(holder, key);
    switch (dice.below(5)) {
      case 0:
        Reflect.deleteProperty(holder, key);
        break;
      case 1:
        put(holder, key, dice.pick(VALUES));
        break;
      case 2: {
        const [from, name] = dice.pick([first, ...rest]);
        put(holder, key, structuredClone(Reflect.get(from, name)));
        break;
      }
      case 3:
        put(holder, dice.pick(NAMES), value);
        break;
      default:
        put(holder, key, dice.once(2) ? [value] : changed(value, dice));
    }
  }
  return copy;
}

/** As a parser would: `__proto__` is a name like any other, and lists have no names. */
function put(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d+$/.test(key)) holder.push(value);
  else Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

function changed(value: unknown, dice: Dice): unknown {
  if (typeof value === 'string') return mutatedPolicyText(value, dice);
  return typeof value === 'number' ? value * dice.pick([-1, 0.5, 1e9]) : [value, value];
}

/** Every place that a value stands in. */
function placesIn(value: unknown, found: [holder: object, key: string][]): [holder: object, key: string][] {
  if (typeof value !== 'object' || value === null || found.length > 2_000) return found;
  for (const [key, item] of Object.entries(value)) {
    found.push([value, key]);
    placesIn(item, found);
  }
  return found;
}
