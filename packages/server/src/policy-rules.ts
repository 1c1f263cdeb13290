import type { PolicyAction, PolicyRules } from '@postern/control';
import { type RuleSource, compilePolicy, mergePolicies } from '@postern/policy';

/** What control asks of the policy language, answered by it. */
export const policyRules: PolicyRules = {
  check: (text, options) => void compilePolicy(text, options),
  withRules: (text, rules, protocol) =>
    mergePolicies(
      [
        {
          on_tcp_connect: rules.on_tcp_connect.map(rule),
          on_http_request: rules.on_http_request.map(rule),
          on_http_response: rules.on_http_response.map(rule),
        },
      ],
      text,
      protocol,
    ),
};

function rule(action: PolicyAction): RuleSource {
  return { actions: [action] };
}
