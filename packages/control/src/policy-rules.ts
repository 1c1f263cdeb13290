import { endsTls, mergePolicies, validatePolicy, type PolicySource, type RuleSource } from '@postern/policy';
import type { PolicyAction, PolicyRules, PolicyRuleSet } from './config.ts';

/** The policy language as control uses it. */
export const policyRules: PolicyRules = {
  endsTls: (text, protocol) => endsTls(text, { protocol }),
  check: (text, options) => validatePolicy(text, options),
  withRules: (text, rules, protocol) => mergePolicies([sourceOf(rules)], text, protocol),
};

/** An option's action as a rule of the language. */
export function ruleOf({ type, config, expressions = [] }: PolicyAction): RuleSource {
  return { expressions, actions: [{ type, config }] };
}

/** The same where the server has no rules of a firewall: what needs them is refused when it is written. */
export const policyRulesWithoutFirewall: PolicyRules = {
  ...policyRules,
  check: (text, options) => validatePolicy(text, { ...options, firewall: false }),
};

/** Each action is a rule of its own, so that the language can put it where its kind belongs. */
function sourceOf(rules: PolicyRuleSet): PolicySource {
  return {
    on_tcp_connect: alone(rules.on_tcp_connect),
    on_http_request: alone(rules.on_http_request),
    on_http_response: alone(rules.on_http_response),
  };
}

function alone(actions: readonly PolicyAction[]): RuleSource[] {
  return actions.map((action) =>
    action.behind === undefined ? ruleOf(action) : { ...ruleOf(action), behind: action.behind },
  );
}
