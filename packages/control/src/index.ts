/** The rules: what may be created, changed and bound, by whom. See README.md of this package. */
export * from './types.ts';
export type { Cover } from './covers.ts';
export { createControl, type Control } from './control.ts';
export { challengeTarget, type ManagedDomain } from './resources/domain-certificates.ts';
export { shownOf as certificateFields } from './resources/tls-certificates.ts';
export {
  DEFAULT_LIMITS,
  type CertificateOrders,
  type ControlConfig,
  type ControlDependencies,
  type ControlLimits,
  type Log,
  type PolicyAction,
  type PolicyRules,
  type PolicyRuleSet,
} from './config.ts';
export { policyRules, policyRulesWithoutFirewall } from './policy-rules.ts';
export type { AddressPlan } from './addresses/urls.ts';
export type { FirstCredentials } from './bootstrap.ts';
export { Turns } from './turns.ts';
