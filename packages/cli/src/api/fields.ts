/** Fields of a resource's bodies, as flags. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { text as read } from 'node:stream/consumers';
import { takes, type Field, type Fields, type Kind } from '@postern/resources';
import type { Flag, FlagValues } from '../flags/flag.ts';
import { listOf, switchOf, textOf } from '../flags/flag.ts';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

type Call = 'create' | 'update';

export function flagsOf(fields: Fields, call: Call): readonly Flag[] {
  return entries(fields, call).map(([name, field]) => flagOf(name, field));
}

/** Texts come from files, too: `--traffic-policy-file FILE`; `-` is what comes in. */
export function fileFlagsOf(fields: Fields, call: Call): readonly Flag[] {
  return entries(fields, call)
    .filter(([, { kind }]) => kind === 'text')
    .map(([name]) => ({ name: `${kebab(name)}-file`, value: 'file', help: `the text of --${kebab(name)}` }));
}

/** The body that was typed. @throws UsageError */
export async function bodyOf(fields: Fields, call: Call, values: FlagValues): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const [name, field] of entries(fields, call)) {
    const value = await valueOf(kebab(name), field, values);
    if (value !== undefined) body[name] = value;
  }
  return body;
}

function entries(fields: Fields, call: Call): (readonly [string, Field])[] {
  return Object.entries(fields).filter(([, field]) => field.kind !== 'unserved' && takes(field, call));
}

export const kebab = (name: string): string => name.replaceAll('_', '-');

/** What a value is called in the help; a switch has none. */
const PLACEHOLDERS: Readonly<Record<Kind, string>> = {
  text: 'text',
  id: 'id',
  time: 'time',
  integer: 'number',
  flag: '',
  texts: 'text',
  labels: 'key=value',
  ref: 'json',
  refs: 'json',
  owner: 'json',
  uri: 'text',
  object: 'json',
  objects: 'json',
  unserved: 'text',
};

function flagOf(name: string, { kind, doc }: Field): Flag {
  const value = PLACEHOLDERS[kind];
  return {
    name: kebab(name),
    help: doc,
    ...(value === '' ? {} : { value }),
    ...(kind === 'texts' ? { many: 'commas' } : kind === 'labels' ? { many: 'times' } : {}),
  };
}

async function valueOf(name: string, { kind }: Field, values: FlagValues): Promise<unknown> {
  if (kind === 'flag') return switchOf(values, name);
  const list = listOf(values, name);
  if (kind === 'texts') return list?.filter((one) => one !== '');
  if (kind === 'labels') return list === undefined ? undefined : labelsOf(name, list);
  const text = textOf(values, name);
  const file = kind === 'text' ? textOf(values, `${name}-file`) : undefined;
  if (text !== undefined && file !== undefined) throw new UsageError(`Give --${name} or --${name}-file, not both.`);
  if (file !== undefined) return textIn(name, file);
  if (text === undefined || kind === 'text' || kind === 'id' || kind === 'time') return text;
  if (kind === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--${name} is ${kind === 'integer' ? 'a number' : 'JSON'}: ${messageOf(cause)}`, { cause });
  }
}

function labelsOf(name: string, list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((label) => {
      const sign = label.indexOf('=');
      if (sign < 1) throw new UsageError(`--${name} ${label}: it is written key=value.`);
      return [label.slice(0, sign), label.slice(sign + 1)];
    }),
  );
}

async function textIn(name: string, file: string): Promise<string> {
  try {
    return file === '-' ? await read(process.stdin) : await readFile(path.resolve(file), 'utf8');
  } catch (cause) {
    throw new UsageError(`--${name}-file ${file} cannot be read (${messageOf(cause)}).`, { cause });
  }
}
