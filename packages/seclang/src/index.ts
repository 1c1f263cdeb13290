export { createFirewall, type Firewall, type Verdict } from './engine.ts';
export { compileRules } from './rules/compile.ts';
export type { RulesFile } from './rules/read.ts';
export type { RuleNotRun, RuleSet } from './rules/rule.ts';
export type { MatchedRule } from './run/evaluate.ts';
export type { HeaderLine, RequestMessage, ResponseMessage } from './run/message.ts';
export { RulesProblem } from './syntax/problem.ts';
