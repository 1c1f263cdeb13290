/** Policies tried without a server: what `postern policy explain` and `postern policy test` do. */
export { tryPolicy, type Trial } from './trial.ts';
export { readPolicyTests, type PolicyTest } from './spec.ts';
export { judge, type Miss } from './judge.ts';
export type { ConditionReport, Evaluated, RuleReport } from './report.ts';
