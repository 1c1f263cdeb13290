/**
 * The checks that need no expression compiler, for editors in a browser: the document's shape, every action's place and
 * the fields of its config. What the server checks besides: expressions, certificates, targets.
 */
import type * as z from 'zod/mini';
import { addHeadersSchema } from '../actions/add-headers/schema.ts';
import { basicAuthSchema } from '../actions/basic-auth/schema.ts';
import { closeConnectionSchema } from '../actions/close-connection/schema.ts';
import { compressResponseSchema } from '../actions/compress-response/schema.ts';
import { customResponseSchema } from '../actions/custom-response/schema.ts';
import { denySchema } from '../actions/deny/schema.ts';
import { forwardInternalSchema } from '../actions/forward-internal/schema.ts';
import { httpRequestSchema } from '../actions/http-request/schema.ts';
import { rateLimitSchema } from '../actions/rate-limit/schema.ts';
import { redirectSchema } from '../actions/redirect/schema.ts';
import { removeHeadersSchema } from '../actions/remove-headers/schema.ts';
import { restrictIpsSchema } from '../actions/restrict-ips/schema.ts';
import { setVarsSchema } from '../actions/set-vars/schema.ts';
import { terminateTlsSchema } from '../actions/terminate-tls/schema.ts';
import { verifyWebhookSchema } from '../actions/verify-webhook/schema.ts';
import type { ActionType, DocumentPhase } from './action-table.ts';
import { parsePolicyDocument, type DocumentOptions, type PolicyDocument } from './document.ts';
import { readConfig } from './problems.ts';

/** The schema of an action's config in a phase; undefined for actions that are not built yet. */
export function configSchema(type: ActionType, phase: DocumentPhase): z.ZodMiniType | undefined {
  const side = phase === 'on_http_response' ? 'on_http_response' : 'on_http_request';
  const schemas: Partial<Record<ActionType, z.ZodMiniType>> = {
    'add-headers': addHeadersSchema[side],
    'basic-auth': basicAuthSchema,
    'close-connection': closeConnectionSchema,
    'compress-response': compressResponseSchema,
    'custom-response': customResponseSchema,
    deny: denySchema,
    'forward-internal': forwardInternalSchema,
    'http-request': httpRequestSchema,
    'rate-limit': rateLimitSchema,
    redirect: redirectSchema,
    'remove-headers': removeHeadersSchema[side],
    'restrict-ips': restrictIpsSchema,
    'set-vars': setVarsSchema,
    'terminate-tls': terminateTlsSchema,
    'verify-webhook': verifyWebhookSchema,
  };
  return schemas[type];
}

/** @throws PosternError 22xx, 90025, 90031: the first problem, its path first in the message. */
export function checkDocument(source: string | object, options: DocumentOptions): PolicyDocument {
  const document = parsePolicyDocument(source, options);
  for (const phase of ['on_tcp_connect', 'on_http_request', 'on_http_response'] as const) {
    for (const rule of document.phases[phase]) {
      for (const action of rule.actions) {
        const schema = configSchema(action.type, phase);
        if (schema !== undefined) readConfig(schema, action.config, `${action.path}.config`);
      }
    }
  }
  return document;
}
