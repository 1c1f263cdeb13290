/** What `postern policy explain` prints: rule by rule what matched, what expressions came to, what actions did. */
import { readFile } from 'node:fs/promises';
import type { Scheme } from '@postern/link';
import {
  readPolicyTests,
  tryPolicy,
  type ConditionReport,
  type Evaluated,
  type RuleReport,
  type Trial,
} from '@postern/policy/trial';
import { findingsIn } from './policy-check.ts';
import { typedRequest, type RequestFlags } from './policy-request.ts';

export interface ExplainFlags extends RequestFlags {
  readonly given?: string;
  readonly protocol?: Scheme;
  readonly kind: 'agent' | 'cloud';
  readonly json?: true;
}

export interface Explained {
  readonly text: string;
  /** Exit code: 0, or 1 when something is wrong with the policy. */
  readonly code: number;
}

/**
 * @param words METHOD URL, or URL alone
 * @throws Error when what was typed cannot be meant
 */
export async function explainPolicy(
  file: string,
  source: string,
  words: readonly string[],
  flags: ExplainFlags,
): Promise<Explained> {
  const request = await typedRequest(words, flags);
  const given = flags.given === undefined ? {} : await readFile(flags.given, 'utf8');
  const { kind, protocol } = flags;
  const {
    tests: [test],
  } = readPolicyTests({ kind, protocol, tests: [{ request, expect: {} }] }, Date.now(), given);
  if (test === undefined) throw new Error('there is no request');
  const findings = findingsIn(source, test.options.protocol, flags.kind);
  if (findings.length > 0) {
    const text =
      flags.json === true
        ? `${JSON.stringify({ file, problems: findings }, null, 2)}\n`
        : findings.map((one) => `${file}:${one.line}:${one.column}: ${one.message} (${one.code})\n`).join('');
    return { text, code: 1 };
  }
  const trial = await tryPolicy(source, test.options, test.given);
  return { text: flags.json === true ? `${JSON.stringify(trial, null, 2)}\n` : trialInWords(trial), code: 0 };
}

export function trialInWords({ rules, verdict, warnings, notes }: Trial): string {
  const lines = rules.flatMap(ruleInWords);
  lines.push('', `verdict: ${verdictInWords(verdict)}`);
  for (const [name, value] of verdict.headers) lines.push(`  ${name}: ${value}`);
  if (verdict.body !== '')
    lines.push(
      ...brief(verdict.body)
        .split('\n')
        .map((line) => `  | ${line}`),
    );
  if (verdict.service !== null) {
    lines.push(`the service gets: ${verdict.service.method} ${verdict.service.url}`);
    for (const [name, value] of verdict.service.headers) lines.push(`  ${name}: ${value}`);
  }
  for (const warning of warnings) lines.push(`warning: ${warning}`);
  for (const note of notes) lines.push(`not known here: ${note}`);
  return `${lines.join('\n')}\n`;
}

function verdictInWords({ kind, status, error, forward, service }: Trial['verdict']): string {
  const where = forward === null ? '' : `, forwarded to ${forward}`;
  if (kind !== 'answered')
    return `${kind === 'closed' ? 'the connection is closed' : 'the service is connected'}${where}`;
  const what = error === '' ? String(status) : `${status} (${error})`;
  return `${what}${where}${service === null ? ', and no service is asked' : ''}`;
}

function ruleInWords({ path, name, state, conditions, actions }: RuleReport): string[] {
  return [
    `${path}${name === '' ? '' : ` "${name}"`}: ${state}`,
    ...conditions.flatMap(conditionInWords),
    ...actions.flatMap(({ type, parts, did, results }) => [
      `  does   ${type}`,
      ...parts.map(partInWords),
      ...did.map((one) => `           ${one}`),
      ...(results === null ? [] : [`           results ${brief(JSON.stringify(results))}`]),
    ]),
  ];
}

function conditionInWords({ text, value, failure, parts }: ConditionReport): string[] {
  const verdict = failure !== undefined ? 'fails' : value === true ? 'yes' : 'no';
  return [
    `  ${verdict.padEnd(6)} ${text}`,
    ...parts.map(partInWords),
    ...(failure === undefined ? [] : [`           it has no value: ${failure}`]),
  ];
}

function partInWords({ text, value, failure }: Evaluated): string {
  return `           ${text} = ${failure === undefined ? brief(JSON.stringify(value)) : `nothing (${failure})`}`;
}

const MOST = 400;

function brief(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}… (${text.length} characters)` : text;
}
