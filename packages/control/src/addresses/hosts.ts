import { domainToUnicode } from 'node:url';

/** What is wrong with a host name, in terms that both the API's and the agents' error codes are chosen from. */
export type HostProblem =
  | { readonly kind: 'empty' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'empty-label' }
  | { readonly kind: 'label-too-long'; readonly label: string }
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'underscore' }
  | { readonly kind: 'label-start'; readonly label: string }
  | { readonly kind: 'label-end'; readonly label: string }
  | { readonly kind: 'hyphens'; readonly label: string }
  | { readonly kind: 'punycode' }
  /** A `*` that is not in the first label. */
  | { readonly kind: 'wildcard-place' }
  /** A first label that is more than the `*`. */
  | { readonly kind: 'wildcard-label'; readonly label: string }
  /** One label only, or an IP address. */
  | { readonly kind: 'not-qualified' };

/**
 * The rules for names (api.md §2, domain syntax; RFC 1035 §2.3.4 for lengths). `host` is lower-case without a port.
 * `allowed` are names that may be used although they have one label (a base domain of this installation).
 */
export function hostProblem(host: string, allowed: readonly string[] = []): HostProblem | null {
  if (host === '') return { kind: 'empty' };
  if (host.length > 253) return { kind: 'too-long' };
  const labels = host.split('.');
  for (const [index, label] of labels.entries()) {
    const problem = labelProblem(label, index === 0);
    if (problem !== null) return problem;
  }
  if (allowed.includes(host)) return null;
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || last === '*' || /^\d+$/.test(last)) return { kind: 'not-qualified' };
  return isPunycodeSound(host) ? null : { kind: 'punycode' };
}

/** Labels that do not decode are left as they are. */
function isPunycodeSound(host: string): boolean {
  if (!host.includes('xn--')) return true;
  const decoded = domainToUnicode(host.replace('*', 'a'));
  return decoded !== '' && !decoded.split('.').some((label) => label.startsWith('xn--'));
}

function labelProblem(label: string, first: boolean): HostProblem | null {
  if (label === '') return { kind: 'empty-label' };
  if (label === '*') return first ? null : { kind: 'wildcard-place' };
  if (label.includes('*')) return first ? { kind: 'wildcard-label', label } : { kind: 'wildcard-place' };
  if (label.includes('_')) return { kind: 'underscore' };
  const character = /[^a-z0-9-]/.exec(label)?.[0];
  if (character !== undefined) return { kind: 'character', character };
  if (label.length > 63) return { kind: 'label-too-long', label };
  if (label.startsWith('-')) return { kind: 'label-start', label };
  if (label.endsWith('-')) return { kind: 'label-end', label };
  if (label.slice(2, 4) === '--' && !label.startsWith('xn--')) return { kind: 'hyphens', label };
  return null;
}

/** The problem in words that finish the sentence "This is not a name: …". */
export function describeHostProblem(problem: HostProblem): string {
  switch (problem.kind) {
    case 'empty':
      return 'the host is missing';
    case 'too-long':
      return 'the host has more than 253 characters';
    case 'empty-label':
      return 'the host has an empty label (two dots in a row, or a dot at an end)';
    case 'label-too-long':
      return `the label "${problem.label}" has more than 63 characters`;
    case 'character':
      return `the host has the character "${problem.character}"; letters, digits, hyphens and dots are allowed`;
    case 'underscore':
      return 'the host has an underscore';
    case 'label-start':
      return `the label "${problem.label}" begins with a hyphen`;
    case 'label-end':
      return `the label "${problem.label}" ends with a hyphen`;
    case 'hyphens':
      return `the label "${problem.label}" has hyphens in places 3 and 4 without being punycode`;
    case 'punycode':
      return 'the host has a label that is not valid punycode';
    case 'wildcard-place':
      return 'a * may only be the first label';
    case 'wildcard-label':
      return `the label "${problem.label}" is more than a *`;
    default:
      return 'the host is not a full domain name';
  }
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*.');
}

/** Wildcards that match `host`, the most specific one first: `a.b.c` → `*.b.c`, `*.c`. Any depth (api.md §4). */
export function wildcardsOver(host: string): string[] {
  const labels = (isWildcard(host) ? host.slice(2) : host).split('.');
  const result: string[] = [];
  for (let cut = 1; cut < labels.length; cut += 1) result.push(`*.${labels.slice(cut).join('.')}`);
  // `*.b.c` lies under `*.c`, and names below `b.c` too.
  return result;
}

/** Whether the name is `domain` itself or lies below it, at any depth. */
export function isUnder(host: string, domain: string): boolean {
  const bare = isWildcard(host) ? host.slice(2) : host;
  return bare === domain || bare.endsWith(`.${domain}`);
}

export function isInternalHost(host: string): boolean {
  return host.endsWith('.internal');
}
