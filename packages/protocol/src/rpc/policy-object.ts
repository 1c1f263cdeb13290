import { isJsonObject, type JsonObject } from './fields.ts';

/**
 * The `Policy` object of one generation of Go agents: {inbound, outbound: [{name, expressions, actions: [{type,
 * config}]}]} where `config` is base64 of JSON (agent-protocol.md §5.3). The answer has the same shape with keys in
 * lower case and configs as objects; what does not look like that is left as it came, for the policy compiler to judge.
 */
export function decodePolicyObject(policy: JsonObject): JsonObject {
  return mapKeys(policy, (value) => (Array.isArray(value) ? value.map(decodeRule) : value));
}

function decodeRule(rule: unknown): unknown {
  if (!isJsonObject(rule)) return rule;
  return mapKeys(rule, (value, key) => (key === 'actions' && Array.isArray(value) ? value.map(decodeAction) : value));
}

function decodeAction(action: unknown): unknown {
  if (!isJsonObject(action)) return action;
  return mapKeys(action, (value, key) => (key === 'config' && typeof value === 'string' ? decodeConfig(value) : value));
}

function decodeConfig(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as unknown;
  } catch {
    return text;
  }
}

/** A copy with lower-case keys; nulls are dropped. */
function mapKeys(object: JsonObject, change: (value: unknown, key: string) => unknown): JsonObject {
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(object)) {
    const lower = key.toLowerCase();
    if (value !== null) entries.push([lower, change(value, lower)]);
  }
  return Object.fromEntries(entries);
}
