/**
 * Which fragments of SQL nobody writes by chance. Kinds of five tokens at most, as `fold` leaves them; `V` here is any of
 * number, name, string and variable.
 *
 * libinjection decides by a table of some 8,000 such fragments. Here they are described by the few shapes that they have.
 */
import { RE2JS } from 're2js';

/** Tokens of a fragment at most. */
export const MOST = 5;

const SHAPES: readonly string[] = [
  // A condition that is added: `1' OR 1=1`, `1) AND (SELECT …`.
  'V&V[&);BUkf(co].*',
  'V&V(?:E[Vk]|TV|V[;co]?).*',
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
  ';T(?:\\(E[fk]|kVc)',
  'V;V:T',
  // What stands behind a value or a closed bracket, and goes on.
  'V\\)(?:[BE][(Vfk].*|f\\(f|k[(BUVf].*|o[(EVf].*|,[(f].*)',
  'V[,](?:\\([EVf].*|f\\(.*)',
  'VB(?:[(Ef].*|V.*)',
  'VE(?:[(f].*|U[(EVf].*|V[;ETUVcfo].*|k[(EUVfo].*|ok.*)',
  'VT(?:[(Ef].*|TV.*|V[(;ETVfk].*|TV.*)',
  'VA(?:[(fVt].*)',
  'Vk(?:UE.*|f\\(.*|\\([Vf].*|\\)[&;BEUfo].*|V[&;BEUco].*)',
  'Vf\\([)EVf].*',
  'V\\((?:E[kf]|U\\(E).*',
  // Arithmetic that does not end there.
  'Vo(?:\\([EVf].*|f\\([)EVf].*|U\\(?E.*|k[&(Vfo].*)',
  'VoV(?:[&(),ABETUcfk].*|;[ETVc])',
  'VoVo[(fUkV].*',
  'VoVV[(EUVfo,&].*',
  'VV(?:\\([Vf].*|E.*|V(?:[;co].*)?|f\\(.*|o.*)',
  // From its beginning SQL: `SELECT a FROM b`, `sleep(1)`.
  'E(?:\\([EVf&k].*|E[fk].*|V[&(),;BUVfko].*|f\\([)EVfo].*|k[(EVfo].*|ok.*)',
  'T(?:\\([Vf].*|V\\(.*|VV[;o].*|V[fo].*|f\\(.*)',
  'f\\(\\)[&(),;ABETUVcfko].*',
  'f\\((?:E.*|f\\(.*|V[&),o].*|[kt][(,].*)',
  'k(?:\\([Vf].*|V[,Ao].*|Vk(?:\\(.|f\\(|V[Uo])|f\\(.*)',
  '&(?:\\([Vf].*|f\\(.*|VUE.*|Vo[(Vf].*)',
  '\\)(?:&\\(E|UE).*',
];

const FRAGMENT = RE2JS.compile(`^(?:${SHAPES.join('|')})$`);

/** Texts that end before there are five. */
const SHORT: ReadonlySet<string> = new Set(
  `EV) EV); EV)c EVV EVV; EVVc EVkV EkV) EkVV TVV; UEV UEV; UEVc UEkV V&EV V&V V&V; V&VU V&VV V&Vc V&kc V)&V V)BV V)c V)oV V;T; VBV
  VBV; VBVc VEVc VU VU; VU;c VUE VUE; VUEV VUEc VUEf VUEk VUVc VUc VVUE VVV VVV; VVVc Vc VkV VkV; VkVc VoV VoV; VoVU VoVc f()U f()c
  f(V)`.split(/\s+/),
);

/** What has such a shape by chance: names in a row, `salt and pepper`, `a union`. */
const CHANCE = /^(?:n&[ns]|1&n|[ns]U|n\)c|UEk?n|[1nsv]Un[^]{0,2}|knkno|[1nsv]o[1nsv](?:1s|s1|1n|ns)o)$/;
/** The same kind of value twice, or a name behind a text, is no SQL of any dialect. */
const TWICE = /11|ss|vv|sn/;
/** Two values can stand at the beginning where the first is the end of something. */
const PAIR = /^[1nsv]{2}/;
const PAIRS =
  /^(?:1n(?:[(EU]|&f|,f|\)U)|(?:1[sv]|ns|n1|s1|sv)UE|(?:1[sv]|s1|sv)f\(|(?:1v|n1|sv)o|nso.U|(?:1[sv]|s1|sv|n1)[sv])/;
/** Three values of which only some orders are SQL. */
const VALUES = /^[1nsv]o?[1nsv][1nsv]?$/;
const FEW_VALUES: ReadonlySet<string> = new Set(['1ov', 'sos', 'sov', 'vos', '1sv', '1vs', 's1v']);

/** @param kinds of folded tokens */
export function isFragment(kinds: string): boolean {
  if (kinds.includes('X')) return true;
  if (VALUES.test(kinds)) return FEW_VALUES.has(kinds);
  if (CHANCE.test(kinds) || TWICE.test(kinds)) return false;
  if (PAIR.test(kinds) && !PAIRS.test(kinds)) return false;
  if (kinds.includes('nn') && !kinds.includes('UE') && !kinds.includes('T')) return false;
  const shape = kinds.replaceAll(/[1nsv]/g, 'V');
  return kinds.length < MOST ? SHORT.has(shape) : FRAGMENT.test(shape);
}
