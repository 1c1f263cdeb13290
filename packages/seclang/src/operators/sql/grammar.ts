/**
 * Which fragments of SQL nobody writes by chance. Kinds of five tokens at most, as `fold` leaves them; `V` here is any of
 * number, name, string and variable.
 *
 * libinjection decides by a table of some 8,000 such fragments. Here they are described by the few shapes that they have.
 */
import { RE2JS } from 're2js';

const SHAPES: readonly string[] = [
  // A condition that is added: `1' OR 1=1`, `1) AND (SELECT …`.
  'V&V[&);BUkf(co].*',
  'V&V(?:E[Vk]|TV|V[;co]?).*',
  'V&V',
  'V&(?:\\([V(Ef].*|E[(VfkU].*|f\\([)EVf]|k[&(Vcfo].*)',
  'V\\)&[(Vf].*',
  'V\\)&E?V[&);BUcfo].*',
  // Another result: `1 UNION SELECT`.
  'VU(?:[(;E].*|c?|f\\(.*|V[,co].*|T.*|k\\(E|o(?:\\(E|V[(Vf].*))',
  'V[)k]*\\)?UE.*',
  '[VE&)].{0,2}UE.*',
  'VVUE.*',
  'U(?:E[(Vfk].*|\\(E.*|f\\(.*)',
  // Another statement: `1; DROP TABLE x`.
  '[V)]{1,2};[ET].*',
  'V\\);[ET].*',
  '[V(]\\);[ET].*',
  ';T.*',
  'V;V:T',
  // The rest is cut off: `admin'--`.
  'V\\)?c',
  'VVV?;?c',
  // What stands behind a value or a closed bracket, and goes on.
  'V\\)(?:[BE][(Vfk].*|f\\(f|k[(BUVf].*|o[(EVf].*|,[(f].*)',
  'V[,](?:\\([EVf].*|f\\(.*)',
  'VB(?:[(Ef].*|V.*)',
  'VE(?:[(f].*|U[(EVf].*|V[;ETUVcfo].*|k[(EUVfo].*|ok.*)',
  'VT(?:[(Ef].*|TV.*|V[(;ETVfk].*|TV.*)',
  'VA(?:[(fVt].*)',
  'Vk(?:UE.*|f\\(.*|\\([Vf].*|\\)[&;BEUfo].*|V[&;BEUco].*)',
  'VkV',
  'Vf\\([)EVf].*',
  'V\\((?:E[kf]|U\\(E).*',
  // Arithmetic that does not end there.
  'Vo(?:\\([EVf].*|f\\([)EVf].*|U\\(?E.*|k[&(Vfo].*)',
  'VoV[&(),;ABETUcfk].*',
  'VoVo[(fUkV].*',
  'VoVV[(EUVfo,&].*',
  'VoV',
  'VV(?:\\([Vf].*|E.*|V(?:[;co].*)?|f\\(.*|o.*)',
  // From its beginning SQL: `SELECT a FROM b`, `sleep(1)`.
  'E(?:\\([EVf&k].*|E[fk].*|V[&(),;BUVfko].*|f\\([)EVfo].*|k[(EVfo].*|ok.*)',
  'T(?:\\([Vf].*|V\\(.*|VV[;o].*|V[fo].*|f\\(.*)',
  'f\\(\\)[&(),;ABETUVcfko].*',
  'f\\((?:E.*|f\\(.*|V[&),o].*|[kt][(,].*)',
  'k(?:\\([Vf].*|V[,Ako].*|f\\(.*)',
  '&(?:\\([Vf].*|f\\(.*|VUE.*|Vo[(Vf].*)',
  '\\)(?:&\\(E|UE).*',
  'X',
];

const FRAGMENT = RE2JS.compile(`^(?:${SHAPES.join('|')})$`);

/** What has such a shape by chance: names in a row, `salt and pepper`, `a union`. No dialect has two values in a row. */
const CHANCE = /^(?:n&[ns]|1&n|[ns]U|n\)c|UEk?n|[1nsv]Un[^]{0,2})$/;
/** The same kind of value twice. */
const TWICE = /11|ss|vv/;
/** Three values of which only some orders are SQL. */
const VALUES = /^[1nsv]o?[1nsv][1nsv]?$/;
const FEW_VALUES: ReadonlySet<string> = new Set(['1ov', 'sos', 'sov', 'vos', '1sv', '1vs', 's1v']);

/** @param kinds of folded tokens */
export function isFragment(kinds: string): boolean {
  if (kinds.includes('X')) return true;
  if (VALUES.test(kinds)) return FEW_VALUES.has(kinds);
  if (CHANCE.test(kinds) || TWICE.test(kinds)) return false;
  if (kinds.includes('nn') && !kinds.includes('UE') && !kinds.includes('T')) return false;
  return FRAGMENT.test(kinds.replaceAll(/[1nsv]/g, 'V'));
}
