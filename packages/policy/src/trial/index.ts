/** Policies tried without a server: what `postern policy explain` and `postern policy test` do. */
export { tryPolicy, type Trial, type Verdict } from './trial.ts';
export { readPolicyTests, type PolicyTest, type PolicyTests } from './spec.ts';
export { judge, type Miss } from './judge.ts';
export type { ActionReport, ConditionReport, Evaluated, RuleReport } from './report.ts';
export { givenOnly, type Given } from './given.ts';
export { requestOf } from './request-line.ts';
