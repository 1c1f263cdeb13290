/**
 * Rules of a credential's ACL (api.md §6): `*`, `bind:host`, `bind:*.x` (also covers the wildcard endpoint itself),
 * `bind:host:port`, `bind:label=value` with `*` on either side. An empty list allows everything.
 */
import { hostProblem, isWildcard } from '../addresses/hosts.ts';
import { parsePort } from '../addresses/urls.ts';

export type AclRule =
  | { readonly kind: 'any' }
  /** `port` 0 = every port. */
  | { readonly kind: 'host'; readonly host: string; readonly port: number }
  | { readonly kind: 'label'; readonly name: string; readonly value: string };

/** null for a text that is no rule (600). */
export function parseAclRule(text: string): AclRule | null {
  if (text === '*') return { kind: 'any' };
  if (!text.startsWith('bind:')) return null;
  const target = text.slice('bind:'.length);
  const equals = target.indexOf('=');
  if (equals >= 0) {
    const name = target.slice(0, equals);
    const value = target.slice(equals + 1);
    return name === '' || value === '' ? null : { kind: 'label', name, value };
  }
  if (target === '*') return { kind: 'host', host: '*', port: 0 };
  const colon = target.lastIndexOf(':');
  const host = (colon < 0 ? target : target.slice(0, colon)).toLowerCase();
  const port = colon < 0 ? 0 : parsePort(target.slice(colon + 1));
  if (port === null) return null;
  // A TCP host may have one label (localhost), which a domain may not.
  const problem = hostProblem(host);
  if (problem !== null && (problem.kind !== 'not-qualified' || host === '*')) return null;
  return { kind: 'host', host, port };
}

/** Whether the rules let a credential bind this address. `port` counts for rules that name one. */
export function allowsAddress(acl: readonly string[], host: string, port: number): boolean {
  return allows(acl, (rule) => {
    if (rule.kind !== 'host') return false;
    return (rule.port === 0 || rule.port === port) && hostMatches(rule.host, host);
  });
}

/** Every label has to be allowed by some rule; the first one that is not, or null. */
export function deniedLabel(acl: readonly string[], labels: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of Object.entries(labels)) {
    const allowed = allows(
      acl,
      (rule) => rule.kind === 'label' && textMatches(rule.name, name) && textMatches(rule.value, value),
    );
    if (!allowed) return `${name}=${value}`;
  }
  return null;
}

function allows(acl: readonly string[], test: (rule: AclRule) => boolean): boolean {
  if (acl.length === 0) return true;
  return acl.some((text) => {
    const rule = parseAclRule(text);
    return rule !== null && (rule.kind === 'any' || test(rule));
  });
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return isWildcard(pattern) && host.endsWith(pattern.slice(1));
}

/** `*` stands for any run of characters. Linear: the parts between stars are searched from left to right. */
function textMatches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return pattern === text;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
