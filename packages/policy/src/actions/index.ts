/** Every action that this build runs. Adding one: its folder, its line here and in `descriptors.ts`. */
import type { ActionType } from '../schema/action-table.ts';
import type { ActionDefinition } from './action.ts';
import { addHeaders } from './add-headers/compile.ts';
import { aiGateway } from './ai-gateway/compile.ts';
import { basicAuth } from './basic-auth/compile.ts';
import { circuitBreaker } from './circuit-breaker/compile.ts';
import { closeConnection } from './close-connection/compile.ts';
import { compressResponse } from './compress-response/compile.ts';
import { customResponse } from './custom-response/compile.ts';
import { deny } from './deny/compile.ts';
import { forwardInternal } from './forward-internal/compile.ts';
import { httpRequest } from './http-request/compile.ts';
import { jwtValidation } from './jwt-validation/compile.ts';
import { log } from './log/compile.ts';
import { oauth } from './oauth/compile.ts';
import { openidConnect } from './openid-connect/compile.ts';
import { owaspCrsRequest } from './owasp-crs-request/compile.ts';
import { owaspCrsResponse } from './owasp-crs-response/compile.ts';
import { rateLimit } from './rate-limit/compile.ts';
import { redirect } from './redirect/compile.ts';
import { removeHeaders } from './remove-headers/compile.ts';
import { requestBodyFindReplace } from './request-body-find-replace/compile.ts';
import { responseBodyFindReplace } from './response-body-find-replace/compile.ts';
import { restrictIps } from './restrict-ips/compile.ts';
import { saml } from './saml/compile.ts';
import { setVars } from './set-vars/compile.ts';
import { sseFindReplace } from './sse-find-replace/compile.ts';
import { terminateTls } from './terminate-tls/compile.ts';
import { urlRewrite } from './url-rewrite/compile.ts';
import { verifyWebhook } from './verify-webhook/compile.ts';

const DEFINITIONS: readonly ActionDefinition[] = [
  addHeaders,
  aiGateway,
  basicAuth,
  circuitBreaker,
  closeConnection,
  compressResponse,
  customResponse,
  deny,
  forwardInternal,
  httpRequest,
  jwtValidation,
  log,
  oauth,
  openidConnect,
  owaspCrsRequest,
  owaspCrsResponse,
  rateLimit,
  redirect,
  removeHeaders,
  requestBodyFindReplace,
  responseBodyFindReplace,
  restrictIps,
  saml,
  setVars,
  sseFindReplace,
  terminateTls,
  urlRewrite,
  verifyWebhook,
];

export const ACTION_DEFINITIONS: ReadonlyMap<ActionType, ActionDefinition> = new Map(
  DEFINITIONS.map((definition) => [definition.descriptor.type, definition]),
);
