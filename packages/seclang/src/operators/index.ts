/** Operators by name, and what each is compiled to. */
import ipaddr from 'ipaddr.js';
import type { WrittenOperator } from '../syntax/operator.ts';
import { Mistake, NotRun } from '../syntax/problem.ts';
import { Phrases } from './aho-corasick.ts';
import { validateByteRange, validateUrlEncoding, validateUtf8Encoding } from './bytes.ts';
import { MATCHED, type Operator, type OperatorFiles } from './operator.ts';
import { detectXss } from './detect-xss.ts';
import { detectSqli } from './sql/detect-sqli.ts';
import { rx } from './rx.ts';
import { TEXT_OPERATORS } from './texts.ts';

type Compile = (argument: string, files: OperatorFiles) => Operator;

const OPERATORS: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ...TEXT_OPERATORS,
  ['detectsqli', detectSqli],
  ['detectxss', detectXss],
  ['ipmatch', (argument) => ipMatch(argument.split(','))],
  ['ipmatchf', (argument, files) => ipMatch(linesOf(files.data(argument)))],
  ['ipmatchfromfile', (argument, files) => ipMatch(linesOf(files.data(argument)))],
  ['pm', (argument) => phrases(argument.split(/\s+/))],
  ['pmf', (argument, files) => phrases(linesOf(files.data(argument)))],
  ['pmfromfile', (argument, files) => phrases(linesOf(files.data(argument)))],
  ['rx', rx],
  ['validatebyterange', validateByteRange],
  ['validateurlencoding', validateUrlEncoding],
  ['validateutf8encoding', validateUtf8Encoding],
]);

/** Of the language, but asking other machines, or this one's files. */
const REFUSED: ReadonlySet<string> = new Set([
  'fuzzyhash',
  'geolookup',
  'gsblookup',
  'inspectfile',
  'rbl',
  'rsub',
  'rxglobal',
  'validatedtd',
  'validatehash',
  'validateschema',
  'verifycc',
  'verifycpf',
  'verifyssn',
  'verifysvnr',
]);

/** @throws Mistake, NotRun */
export function compileOperator({ name, argument }: WrittenOperator, files: OperatorFiles): Operator {
  const compile = OPERATORS.get(name);
  if (compile !== undefined) return compile(argument, files);
  if (REFUSED.has(name)) throw new NotRun(`@${name} is not run here`);
  throw new Mistake(`"@${name}" is no operator`);
}

function phrases(words: readonly string[]): Operator {
  const wanted = new Phrases(words.filter((word) => word !== '').map((word) => word.toLowerCase()));
  return (value, scope) => {
    scope.spend(5 + value.length * 4);
    const found = wanted.find(value);
    return found === null ? null : [found];
  };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** @throws Mistake */
function ipMatch(ranges: readonly string[]): Operator {
  const parsed = ranges.map(rangeOf);
  return (value) => {
    if (!ipaddr.isValid(value)) return null;
    const address = ipaddr.process(value);
    const within = parsed.some(([start, bits]) => address.kind() === start.kind() && address.match(start, bits));
    return within ? MATCHED : null;
  };
}

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [host = '', bits] = text.trim().split('/');
  if (!ipaddr.isValid(host)) throw new Mistake(`"${text.trim()}" is no address`);
  const address = ipaddr.parse(host);
  const most = address.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  if (!(length >= 0 && length <= most)) throw new Mistake(`"${text.trim()}" is no range of addresses`);
  return [address, length];
}
