/** Actions of the language that this build does not run: refused by name, so that no rule is dropped in silence. */
import type { ActionFacts } from './descriptor.ts';

export const UNBUILT = [
  { type: 'ai-gateway', phases: ['on_http_request'] },
  { type: 'oauth', phases: ['on_http_request'], place: { before: 5 } },
  {
    type: 'openid-connect',
    phases: ['on_http_request'],
    aliases: ['oidc'],
    resultKey: 'oidc',
    place: { before: 6 },
  },
  { type: 'saml', phases: ['on_http_request'], place: { before: 7 } },
] as const satisfies readonly ActionFacts[];
