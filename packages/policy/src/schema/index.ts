/** The language's documents without the machinery that runs them: for browsers and editors. No Node imports. */
export {
  ACTIONS,
  DOCUMENT_PHASES,
  actionNamed,
  builtAction,
  type ActionFacts,
  type ActionType,
  type DocumentPhase,
} from './action-table.ts';
export { checkDocument } from './check.ts';
export {
  parsePolicyDocument,
  type ActionEntry,
  type DocumentOptions,
  type PolicyDocument,
  type Rule,
} from './document.ts';
export { MAX_POLICY_BYTES } from './source.ts';
