/** Every action that this build runs, as editors see it; `index.ts` has what runs. One line for each folder. */
import { addHeadersAction } from './add-headers/schema.ts';
import { aiGatewayAction } from './ai-gateway/schema.ts';
import { basicAuthAction } from './basic-auth/schema.ts';
import { circuitBreakerAction } from './circuit-breaker/schema.ts';
import { closeConnectionAction } from './close-connection/schema.ts';
import { compressResponseAction } from './compress-response/schema.ts';
import { customResponseAction } from './custom-response/schema.ts';
import { denyAction } from './deny/schema.ts';
import { forwardInternalAction } from './forward-internal/schema.ts';
import { httpRequestAction } from './http-request/schema.ts';
import { jwtValidationAction } from './jwt-validation/schema.ts';
import { logAction } from './log/schema.ts';
import { oauthAction } from './oauth/schema.ts';
import { openidConnectAction } from './openid-connect/schema.ts';
import { owaspCrsRequestAction } from './owasp-crs-request/schema.ts';
import { owaspCrsResponseAction } from './owasp-crs-response/schema.ts';
import { rateLimitAction } from './rate-limit/schema.ts';
import { redirectAction } from './redirect/schema.ts';
import { removeHeadersAction } from './remove-headers/schema.ts';
import { requestBodyFindReplaceAction } from './request-body-find-replace/schema.ts';
import { responseBodyFindReplaceAction } from './response-body-find-replace/schema.ts';
import { restrictIpsAction } from './restrict-ips/schema.ts';
import { samlAction } from './saml/schema.ts';
import { setVarsAction } from './set-vars/schema.ts';
import { sseFindReplaceAction } from './sse-find-replace/schema.ts';
import { terminateTlsAction } from './terminate-tls/schema.ts';
import { urlRewriteAction } from './url-rewrite/schema.ts';
import { verifyWebhookAction } from './verify-webhook/schema.ts';

export const DESCRIPTORS = [
  addHeadersAction,
  aiGatewayAction,
  basicAuthAction,
  circuitBreakerAction,
  closeConnectionAction,
  compressResponseAction,
  customResponseAction,
  denyAction,
  forwardInternalAction,
  httpRequestAction,
  jwtValidationAction,
  logAction,
  oauthAction,
  openidConnectAction,
  owaspCrsRequestAction,
  owaspCrsResponseAction,
  rateLimitAction,
  redirectAction,
  removeHeadersAction,
  requestBodyFindReplaceAction,
  responseBodyFindReplaceAction,
  restrictIpsAction,
  samlAction,
  setVarsAction,
  sseFindReplaceAction,
  terminateTlsAction,
  urlRewriteAction,
  verifyWebhookAction,
] as const;
