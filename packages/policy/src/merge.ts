/**
 * Agents' own options (basic auth, IP rules, headers, compression, …) mean the same as rules: whoever reads the options
 * writes them as small policies, and this puts them around the user's policy in one agreed order.
 */
import type { MergePlace } from './actions/descriptor.ts';
import { actionNamed } from './schema/action-table.ts';
import { parsePolicyDocument } from './schema/document.ts';

export interface RuleSource {
  readonly name?: string;
  readonly expressions?: readonly string[];
  readonly actions: readonly { readonly type: string; readonly config?: object }[];
  /** The type of an action behind whose rules this one stands, instead of where its own first action would. */
  readonly behind?: string;
}

export interface PolicySource {
  readonly on_tcp_connect?: readonly RuleSource[];
  readonly on_http_request?: readonly RuleSource[];
  readonly on_http_response?: readonly RuleSource[];
}

type Phase = keyof PolicySource;

const PHASES: readonly Phase[] = ['on_tcp_connect', 'on_http_request', 'on_http_response'];

/**
 * One policy, as JSON text. In every phase: the options' rules that decide who may come in (in the order restrict-ips,
 * terminate-tls, circuit-breaker, basic-auth, oauth, openid-connect, saml, verify-webhook), the user's rules, then the
 * options' remove-headers, add-headers and compress-response. A rule's place is that of its first action; options of the
 * same kind keep the order given.
 *
 * Validate the user's policy by itself first: its errors then name places in the user's text, and not in this one.
 *
 * @param user JSON or YAML; '' for none.
 * @throws PosternError 22xx when the user's policy is not well formed.
 */
export function mergePolicies(options: readonly PolicySource[], user: string | object, protocol: string): string {
  const document = parsePolicyDocument(user, { protocol });
  const merged: Record<string, RuleSource[]> = {};
  for (const phase of PHASES) {
    const rules = options.flatMap((option) => option[phase] ?? []);
    const own = document.phases[phase].map((rule) => ({
      name: rule.name,
      expressions: rule.expressions,
      actions: rule.actions.map(({ type, config }) => ({ type, config })),
    }));
    const all = [...placed(rules, 'before'), ...own, ...placed(rules, 'behind')];
    if (all.length > 0) merged[phase] = all;
  }
  return JSON.stringify(merged);
}

/** A kind without a place of its own decides nothing about who comes in that we know of: it goes first of all. */
function placed(rules: readonly RuleSource[], side: 'before' | 'behind'): RuleSource[] {
  return rules
    .map((rule) => ({ rule, place: actionNamed(rule.behind ?? rule.actions[0]?.type ?? '')?.place ?? FIRST }))
    .filter(({ place }) => side in place)
    .toSorted((a, b) => order(a.place) - order(b.place) || Number(isBehind(a.rule)) - Number(isBehind(b.rule)))
    .map(({ rule: { behind: _behind, ...rule } }) => rule);
}

const isBehind = ({ behind }: RuleSource): boolean => behind !== undefined;

const FIRST: MergePlace = { before: 0 };
const order = (place: MergePlace): number => ('before' in place ? place.before : place.behind);

/** Text that shall mean itself inside a config string: a password may well contain `${`. */
export function literal(text: string): string {
  // A function, because `$$` in replacement text means a single `$`.
  return text.replaceAll('${', () => '$${');
}
