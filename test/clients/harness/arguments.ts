/** What the command line asks of the suite. */
import { parseArgs } from 'node:util';
import type { Client } from './client.ts';

export interface Asked {
  readonly clients: readonly Client[];
  readonly write: boolean;
  readonly runs: number;
  readonly atOnce: number;
}

/** Printed instead of a run, and the exit code behind it. */
export interface Told {
  readonly text: string;
  readonly code: 0 | 2;
}

const OPTIONS = {
  only: { type: 'string' },
  runs: { type: 'string', default: '1' },
  'at-once': { type: 'string', default: '2' },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Of the environment; README.md says more of each. */
export const VARIABLES: readonly (readonly [name: string, what: string])[] = [
  ['POSTERN_CLIENTS_CACHE', 'folder of what was built and downloaded'],
  ['POSTERN_CLIENTS_MAY_MISS', 'languages whose packages may be missing, e.g. terraform,java'],
  ['POSTERN_CLIENTS_DUTY', 'one duty of agents or of grpc alone, by its name in the report'],
  ['POSTERN_CLIENTS_LOAD', '0.2: a fifth of the sessions, visitors and seconds; 20: twenty times as many'],
  ['POSTERN_WRAPPER_STARTS', 'how often each wrapper starts its agent behind everything else (20)'],
  ['POSTERN_TERRAFORM_PROVIDER', 'binaries of its provider: v0.8.0=<file>,v0.7.0=<file>'],
  ['POSTERN_API_CONTRACT', 'file of the API contract whose every method is called'],
];

/** Whether this duty is to be run; only parts whose duties stand alone ask. */
export const isWanted = (duty: string): boolean => (process.env['POSTERN_CLIENTS_DUTY'] ?? duty) === duty;

/** What `args` ask for, or what to say instead of it. */
export function readArguments(args: readonly string[], all: readonly Client[]): Asked | Told {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS }));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [what = ''] = error.message.split('. ');
    return wrong(
      `${what}; there are ${Object.keys(OPTIONS)
        .map((name) => `--${name}`)
        .join(', ')}`,
    );
  }
  if (values.help) return { text: helpOf(all), code: 0 };
  const names = namesOf(all);
  const wanted = values.only?.split(',').map((name) => name.trim()) ?? names;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) return wrong(`--only: there is no "${unknown}"; there are ${names.join(', ')}`);
  const [runs, atOnce] = [Number(values.runs), Number(values['at-once'])];
  for (const [name, number] of [
    ['runs', runs],
    ['at-once', atOnce],
  ] as const)
    if (!Number.isInteger(number) || number < 1)
      return wrong(`--${name}: a whole number from 1 on, not "${values[name]}"`);
  const clients = all.filter(({ language, part }) => wanted.some((name) => name === language || name === part));
  return { clients, write: values.write, runs, atOnce };
}

const wrong = (text: string): Told => ({ text, code: 2 });

/** Languages, and parts of the suite across them. */
function namesOf(all: readonly Client[]): readonly string[] {
  return [...new Set([...all.map(({ language }) => language), ...all.flatMap(({ part }) => part ?? [])])];
}

function helpOf(all: readonly Client[]): string {
  const rows = namesOf(all).map((name): readonly [string, string] => [
    name,
    all
      .filter(({ language, part }) => name === language || name === part)
      .map((client) => client.name)
      .join(', '),
  ]);
  return [
    'Official clients in their own languages against a real server (test/clients/README.md).',
    '',
    'npm run test:clients [-- OPTIONS]',
    '',
    ...columns([
      ['--only NAME,…', 'these languages or parts, of those below; all by default'],
      ['--runs N', 'all of it so often; says in the end which duties are flaky'],
      ['--at-once N', 'so many clients beside each other (2)'],
      ['--write', 'puts what came of it into the table in docs/compatibility.md'],
    ]),
    '',
    '--only takes',
    ...columns(rows),
    '',
    'Environment',
    ...columns(VARIABLES),
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, what]) => `  ${name.padEnd(width)}  ${what}`);
}
