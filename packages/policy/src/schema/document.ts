/**
 * Plain value → phases, rules and actions, every one with its path in the user's text (traffic-policy.md §1). Accepts
 * the names of older agents; anything else that is not part of the language is refused. Browser-safe.
 */
import { fail } from '@postern/errors';
import {
  ACTIONS,
  DOCUMENT_PHASES,
  actionNamed,
  builtAction,
  type ActionType,
  type DocumentPhase,
} from './action-table.ts';
import { attempt, type OnProblem } from './attempt.ts';
import { meant, nearest } from './nearest.ts';
import { printable } from './printable.ts';
import { MAX_POLICY_BYTES, readSource, refuseDeepValues } from './source.ts';

export interface ActionEntry {
  /** e.g. `on_http_request[0].actions[1]`. */
  readonly path: string;
  readonly type: ActionType;
  /** As written; `{}` when absent. The action's own schema reads it. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Rule {
  readonly path: string;
  readonly name: string;
  readonly expressions: readonly string[];
  readonly actions: readonly ActionEntry[];
}

export interface PolicyDocument {
  readonly phases: Readonly<Record<DocumentPhase, readonly Rule[]>>;
  /** The path of the phase's first rules as written: `inbound` where an old name was used. */
  readonly written: Readonly<Record<DocumentPhase, string>>;
}

export interface DocumentOptions {
  /** What decides the meaning of `inbound`: a tcp or tls endpoint has only connections. */
  readonly protocol: string;
  readonly maxBytes?: number;
  readonly maxRules?: number;
  readonly maxPerRule?: number;
  /** Takes a problem instead of its being thrown; the part that has it is left out. */
  readonly onProblem?: OnProblem;
}

const MAX_RULES = 250;
const MAX_PER_RULE = 100;
const MAX_NAME = 1024;
const RULE_KEYS = ['name', 'expressions', 'actions'];
const ACTION_KEYS = ['type', 'config'];

const NEW_NAMES: Readonly<Record<string, DocumentPhase>> = {
  on_tcp_connect: 'on_tcp_connect',
  on_http_request: 'on_http_request',
  on_http_response: 'on_http_response',
  on_event_stream_message: 'on_event_stream_message',
  OnTCPConnect: 'on_tcp_connect',
  OnTcpConnect: 'on_tcp_connect',
  OnHTTPRequest: 'on_http_request',
  OnHttpRequest: 'on_http_request',
  OnHTTPResponse: 'on_http_response',
  OnHttpResponse: 'on_http_response',
};

/** Text or object → document. @throws PosternError of the 22xx series, the path first in its message. */
export function parsePolicyDocument(source: string | object, options: DocumentOptions): PolicyDocument {
  const value = typeof source === 'string' ? readSource(source, options.maxBytes ?? MAX_POLICY_BYTES) : source;
  if (typeof source !== 'string') refuseDeepValues(value, 0);
  const root = value === null || value === undefined ? {} : asMap(value);
  if (root === null) throw fail(2236, { reason: 'a policy is a map of phases' });

  const rules: Record<DocumentPhase, Rule[]> = {
    on_tcp_connect: [],
    on_http_request: [],
    on_http_response: [],
    on_event_stream_message: [],
  };
  const written: Record<DocumentPhase, string> = {
    on_tcp_connect: 'on_tcp_connect',
    on_http_request: 'on_http_request',
    on_http_response: 'on_http_response',
    on_event_stream_message: 'on_event_stream_message',
  };
  const legacy: [string, DocumentPhase, unknown][] = [];
  let enabled = true;
  for (const [key, list] of Object.entries(root)) {
    const phase = Object.hasOwn(NEW_NAMES, key) ? NEW_NAMES[key] : undefined;
    if (phase !== undefined) {
      rules[phase].push(...readRules(list, key, phase, options));
      written[phase] = key;
    } else if (key === 'inbound' || key === 'Inbound') legacy.push([key, inboundPhase(options.protocol), list]);
    else if (key === 'outbound' || key === 'Outbound') legacy.push([key, 'on_http_response', list]);
    else if (key === 'enabled' || key === 'Enabled') {
      enabled = attempt(() => readEnabled(list, key), options.onProblem) ?? true;
    } else attempt(() => refusePhase(key), options.onProblem);
  }
  for (const [key, phase, list] of legacy) {
    if (rules[phase].length === 0) written[phase] = key;
    rules[phase].push(...readRules(list, key, phase, options));
  }
  const max = options.maxRules ?? MAX_RULES;
  const count = Object.values(rules).reduce((sum, list) => sum + list.length, 0);
  attempt(() => {
    if (count > max) throw fail(2264, { path: 'policy', count, max });
  }, options.onProblem);
  if (!enabled) for (const phase of DOCUMENT_PHASES) rules[phase] = [];
  return { phases: rules, written };
}

function refusePhase(key: string): never {
  const name = printable(key);
  const phases = DOCUMENT_PHASES.join(', ');
  throw fail(2203, {
    path: name,
    reason: `there is no such phase${meant(name, DOCUMENT_PHASES)}. The phases are ${phases}`,
  });
}

function inboundPhase(protocol: string): DocumentPhase {
  return protocol === 'tcp' || protocol === 'tls' ? 'on_tcp_connect' : 'on_http_request';
}

function readEnabled(value: unknown, path: string): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== 'boolean') throw fail(2204, { path, reason: 'true or false is needed' });
  return value;
}

function readRules(value: unknown, path: string, phase: DocumentPhase, options: DocumentOptions): Rule[] {
  if (value === null || value === undefined) return [];
  const { onProblem } = options;
  if (!Array.isArray(value)) {
    attempt(() => {
      throw fail(2203, { path, reason: 'a phase is a list of rules' });
    }, onProblem);
    return [];
  }
  return value.flatMap((rule: unknown, index) => {
    const read = attempt(() => readRule(rule, `${path}[${index}]`, phase, options), onProblem);
    return read === null ? [] : [read];
  });
}

function readRule(value: unknown, path: string, phase: DocumentPhase, options: DocumentOptions): Rule {
  const rule = asMap(value);
  if (rule === null) throw fail(2203, { path, reason: 'a rule is a map with name, expressions and actions' });
  let name = '';
  let expressions: string[] = [];
  let actions: unknown;
  let actionsPath = `${path}.actions`;
  const { onProblem } = options;
  const maxPerRule = options.maxPerRule ?? MAX_PER_RULE;
  for (const [key, field] of Object.entries(rule)) {
    const at = `${path}.${printable(key)}`;
    if (key === 'name' || key === 'Name') name = attempt(() => readName(field, at), onProblem) ?? '';
    else if (key === 'expressions' || key === 'Expressions') {
      expressions = attempt(() => readExpressions(field, at, maxPerRule), onProblem) ?? [];
    } else if (key === 'actions' || key === 'Actions') {
      actions = field;
      actionsPath = at;
    } else attempt(() => refuseRuleKey(key, at), onProblem);
  }
  if (actions === null || actions === undefined) throw fail(2206, { path });
  if (!Array.isArray(actions)) throw fail(2203, { path: actionsPath, reason: 'actions is a list' });
  if (actions.length === 0) throw fail(2206, { path });
  if (actions.length > maxPerRule) {
    throw fail(2265, { path: actionsPath, count: actions.length, kind: 'actions', max: maxPerRule });
  }
  return {
    path,
    name,
    expressions,
    actions: actions.flatMap((action: unknown, index) => {
      const read = attempt(() => readAction(action, `${actionsPath}[${index}]`, phase, options), onProblem);
      return read === null ? [] : [read];
    }),
  };
}

function refuseRuleKey(key: string, path: string): never {
  throw fail(2203, { path, reason: `a rule has only name, expressions and actions${meant(key, RULE_KEYS)}` });
}

function readName(value: unknown, path: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw fail(2204, { path, reason: 'a name is text' });
  }
  const name = String(value);
  if (name.length > MAX_NAME) throw fail(2208, { path, length: name.length, max: MAX_NAME });
  return name;
}

function readExpressions(value: unknown, path: string, max: number): string[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw fail(2203, { path, reason: 'expressions is a list of CEL expressions' });
  if (value.length > max) throw fail(2265, { path, count: value.length, kind: 'expressions', max });
  return value.map((item: unknown, index) => {
    // A bare `true` in YAML is a boolean, and as good an expression as 'true'.
    if (typeof item === 'boolean') return String(item);
    if (typeof item !== 'string') throw fail(2203, { path: `${path}[${index}]`, reason: 'an expression is text' });
    return item;
  });
}

function readAction(value: unknown, path: string, phase: DocumentPhase, options: DocumentOptions): ActionEntry {
  const action = asMap(value);
  if (action === null) throw fail(2203, { path, reason: 'an action is a map with type and config' });
  let type: unknown;
  let config: unknown;
  let configPath = `${path}.config`;
  let legacyConfig = false;
  for (const [key, field] of Object.entries(action)) {
    if (key === 'type' || key === 'Type') type = field;
    else if (key === 'config' || key === 'Config') {
      config = field;
      configPath = `${path}.${key}`;
      legacyConfig = key === 'Config' || !path.startsWith('on_');
    } else if (key === 'name' || key === 'Name') readName(field, `${path}.${key}`);
    else
      throw fail(2203, {
        path: `${path}.${printable(key)}`,
        reason: `an action has only type and config${meant(key, ACTION_KEYS)}`,
      });
  }
  if (typeof type !== 'string' || type === '') throw fail(2234, { path, field: 'type' });
  const facts = actionNamed(type);
  if (facts === undefined) {
    const known = ACTIONS.map((one) => one.type);
    const [likely] = nearest(type, known);
    const list = likely === undefined ? known : [likely, ...known.filter((name) => name !== likely)];
    throw fail(2201, { path, type: printable(type), known: list.join(', ') });
  }
  if (!facts.phases.includes(phase)) {
    throw fail(2202, { path, type, phase, allowed: facts.phases.join(' and ') });
  }
  if (facts.protocols !== undefined && !facts.protocols.includes(options.protocol)) {
    throw fail(2205, { path, type, protocol: options.protocol });
  }
  if (builtAction(facts.type) === undefined) throw fail(90025, { path, type });
  return { path, type: facts.type, config: readConfig(config, configPath, legacyConfig) };
}

function readConfig(value: unknown, path: string, legacy: boolean): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  const plain = legacy && typeof value === 'string' ? decodeLegacyConfig(value, path) : value;
  const config = asMap(plain);
  if (config === null) throw fail(2203, { path, reason: 'config is a map' });
  // A key without value (YAML `body:`) is an absent key.
  return Object.fromEntries(Object.entries(config).filter(([, field]) => field !== null && field !== undefined));
}

/** The old wire form carries config as JSON text, or as base64 of it. */
function decodeLegacyConfig(value: string, path: string): unknown {
  if (value === '') return {};
  for (const text of [value, base64Text(value)]) {
    try {
      const decoded: unknown = JSON.parse(text);
      refuseDeepValues(decoded, 0);
      return decoded;
    } catch {
      // The other form follows; what is neither is refused below.
    }
  }
  throw fail(2203, { path, reason: 'config is a map, or JSON text of one' });
}

function base64Text(value: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)));
  } catch {
    return '';
  }
}

function asMap(value: unknown): Record<string, unknown> | null {
  return isMap(value) ? value : null;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
