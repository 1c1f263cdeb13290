import type { ErrorEntry } from './entry.ts';
import { AGENT_ERRORS } from './families/agent.ts';
import { API_ERRORS } from './families/api.ts';
import { CERTIFICATE_ERRORS } from './families/certificates.ts';
import { ENDPOINT_ERRORS } from './families/endpoints.ts';
import { GATEWAY_ERRORS } from './families/gateway.ts';
import { POLICY_ERRORS } from './families/policy.ts';
import { POLICY_LOGIN_ERRORS } from './families/policy-logins.ts';
import { POLICY_MODEL_ERRORS } from './families/policy-models.ts';
import { POLICY_RUN_ERRORS } from './families/policy-run.ts';
import { POLICY_RESOURCE_ERRORS } from './families/policy-resources.ts';
import { POLICY_TOKEN_ERRORS } from './families/policy-tokens.ts';
import { RESOURCE_ERRORS } from './families/resources.ts';

/** Every error that Postern sends. `docs/failure-modes.md` explains each row; a test compares the two both ways. */
export const ERROR_TABLE = {
  ...API_ERRORS,
  ...ENDPOINT_ERRORS,
  ...RESOURCE_ERRORS,
  ...CERTIFICATE_ERRORS,
  ...POLICY_RESOURCE_ERRORS,
  ...AGENT_ERRORS,
  ...POLICY_ERRORS,
  ...POLICY_LOGIN_ERRORS,
  ...POLICY_MODEL_ERRORS,
  ...POLICY_RUN_ERRORS,
  ...POLICY_TOKEN_ERRORS,
  ...GATEWAY_ERRORS,
} as const satisfies Record<number, ErrorEntry>;

export type ErrorNumber = keyof typeof ERROR_TABLE;
