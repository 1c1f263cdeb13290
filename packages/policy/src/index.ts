/** Traffic policy: compiled from text, executed against the edge's views. See README.md. */
export * from './runtime.ts';
export type * from './services.ts';
export type * from './body-filter.ts';
export { compilePolicy, policyProblems, validatePolicy } from './compile.ts';
export type { PolicyReference } from './references.ts';
export { CidrSet, parseCidr, parseIp } from './net/cidr.ts';
export { isPublicAddress } from './net/public-address.ts';
export { LOGIN_COOKIES, splitCookies } from './logins/cookies.ts';
export { CALLBACK_PATH, returnFromProvider } from './logins/return.ts';
export { PROVIDER_NAMES } from './actions/oauth/schema.ts';
export { sourcePlaces } from './schema/place.ts';
export { EventBlocks, isEventStream, type EventBlock } from './event-blocks.ts';
export { CODINGS, codingsOf } from './actions/decode-body.ts';
export { BUDGET, REQUEST_BUDGET, REQUEST_EFFORT } from './cel/work.ts';
export { extensionsOf } from './cel/variables/extensions.ts';
export { endsTls } from './ends-tls.ts';
export { literal, mergePolicies, type PolicySource, type RuleSource } from './merge.ts';
export {
  belongTogether,
  certificateProblem,
  privateKeyProblem,
  readCertificates,
} from './actions/terminate-tls/pem.ts';
