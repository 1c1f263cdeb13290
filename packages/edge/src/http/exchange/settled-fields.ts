/**
 * Fields of a request that say who the visitor is, how it came, or what the edge decided. A stranger cannot set them:
 * they are dropped, or made here. Names that differ from them by `_` for `-` are the same to services that read headers
 * as CGI variables do; nobody can set those. docs/headers.md has the table.
 */
import { nameTable, type NameTable } from '@postern/protocol';
import { HOP_MARK } from './hop-mark.ts';

/** Never from outside. */
const OURS: readonly string[] = ['ngrok-error-code'];
const OURS_BEGIN = 'ngrok-auth-';

/** Believed proxies may set them; of strangers they are dropped. */
const OF_PROXIES: readonly string[] = [
  'cf-connecting-ip',
  'client-ip',
  'fastly-client-ip',
  'forwarded',
  'front-end-https',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-forwarded',
  'x-forwarded-by',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-original-host',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
  'x-url-scheme',
];

/** Made anew here from what came (prepared-fields.ts). */
const MADE_HERE: readonly string[] = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];

export type Settling = 'drop' | 'of-proxies' | 'made-here';

const SETTLED: ReadonlyMap<string, Settling> = new Map([
  ...OURS.map((name) => [name, 'drop'] as const),
  ...OF_PROXIES.map((name) => [name, 'of-proxies'] as const),
  ...MADE_HERE.map((name) => [name, 'made-here'] as const),
]);

/** What the edge has to look at in a visitor's head; all else passes as it came. */
export const REQUEST_NAMES: NameTable = nameTable({
  special: [...SETTLED.keys(), HOP_MARK.toLowerCase()],
  specialBeginnings: [OURS_BEGIN],
  noted: ['cookie'],
});

/** The same in a service's. */
export const RESPONSE_NAMES: NameTable = nameTable({
  special: [...OURS, HOP_MARK.toLowerCase()],
  specialBeginnings: [],
  noted: [],
});

/** Length → first letters of the names of that length: nearly all fields are dismissed by it. */
const FIRST_LETTERS: readonly string[] = Array.from({ length: 24 }, (_, length) =>
  [...SETTLED.keys()]
    .filter((name) => name.length === length)
    .map((name) => name.charAt(0))
    .join(''),
);
const N = 110;

/** @returns null for a field that is the visitor's own business */
export function settlingOf(name: string): Settling | null {
  const first = name.charCodeAt(0) | 32;
  const letters = FIRST_LETTERS[name.length] ?? '';
  const listed = letters !== '' && letters.includes(String.fromCharCode(first));
  if (!listed && (first !== N || name.length < OURS_BEGIN.length)) return null;
  const lower = name.toLowerCase();
  const plain = lower.replaceAll('_', '-');
  if (plain.startsWith(OURS_BEGIN)) return 'drop';
  const settling = SETTLED.get(plain) ?? null;
  return settling === null || lower === plain ? settling : 'drop';
}
