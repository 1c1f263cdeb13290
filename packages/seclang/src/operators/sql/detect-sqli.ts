/**
 * `@detectSQLi`: whether a text is a fragment of SQL when it is put into a statement, as it stands or within a string. After
 * the published behaviour of libinjection; which fragments are meant is in grammar.ts.
 */
import type { Operator } from '../operator.ts';
import { fold } from './fold.ts';
import { isFragment } from './grammar.ts';
import { type Dialect, type Token, Tokens } from './tokens.ts';

/** Fragments of two tokens or three are told from speech by how they are written. */
interface Reading {
  readonly kinds: string;
  readonly tokens: readonly Token[];
  /** Before folding. */
  readonly count: number;
  readonly ambiguous: boolean;
}

export function detectSqli(): Operator {
  return (value, scope) => {
    if (value === '') return null;
    scope.spend(50 + value.length * 15);
    const found = fragmentOf(value);
    return found === null ? null : [found];
  };
}

/** @returns kinds of the tokens that make it one */
function fragmentOf(text: string): string | null {
  for (const quote of ['', "'", '"']) {
    if (quote !== '' && !text.includes(quote)) continue;
    const reading = read(text, quote, quote === '"' ? 'mysql' : 'ansi');
    if (isMeant(reading, text)) return reading.kinds;
    if (!reading.ambiguous || quote === '"') continue;
    const other = read(text, quote, 'mysql');
    if (isMeant(other, text)) return other.kinds;
  }
  return null;
}

function read(text: string, quote: string, dialect: Dialect): Reading {
  const tokens = new Tokens(text, quote, dialect);
  const folded = [...fold(tokens)];
  const last = folded.at(-1);
  // PHP's and MySQL's way of a comment: a back quote that nobody closes.
  if (folded.length > 2 && last?.kind === 'n' && last.open === '`' && last.text === '' && last.close === '')
    last.kind = 'c';
  const kinds = folded.map(({ kind }) => kind).join('');
  return { kinds: kinds.includes('X') ? 'X' : kinds, tokens: folded, count: tokens.count, ambiguous: tokens.ambiguous };
}

function isMeant(reading: Reading, text: string): boolean {
  const { kinds, tokens } = reading;
  if (!isFragment(kinds)) return false;
  if (kinds.length > 1 && kinds.endsWith('c') && text.includes('sp_password')) return true;
  if (tokens.length === 2) return isMeantPair(reading, text);
  return tokens.length === 3 ? isMeantTriple(reading) : true;
}

function isMeantPair({ kinds, tokens: [a, b], count }: Reading, text: string): boolean {
  if (a === undefined || b === undefined) return false;
  if (kinds.endsWith('U')) return count > 2;
  if (b.text.startsWith('#')) return false;
  const block = b.text.startsWith('/');
  if (a.kind === 'n' && b.kind === 'c' && !block) return false;
  if (a.kind !== '1' || b.kind !== 'c') return !(b.text.length > 2 && b.text.startsWith('-'));
  if (block || count > 2) return true;
  // `1234--`, but not what base64 may look like.
  const behind = text.slice(a.text.length, a.text.length + 2);
  return behind.charCodeAt(0) <= 32 || behind === '/*' || behind === '--';
}

function isMeantTriple({ kinds, tokens: [a, b, c], count }: Reading): boolean {
  if (kinds === 'sos' || kinds === 's&s') return a?.open === '' && c?.close === '' && a.close === c.open;
  if (/^(?:s&n|n&1|1&1|1&v|1&s)$/.test(kinds)) return count !== 3;
  return b?.kind !== 'k' || /^into./i.test(b.text);
}
