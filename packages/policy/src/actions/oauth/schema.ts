/** traffic-policy.md §4 oauth */
import * as z from 'zod/mini';
import { loginFields } from '../../logins/schema.ts';
import { verify, type Problem } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

export const PROVIDER_NAMES = [
  'amazon',
  'facebook',
  'github',
  'gitlab',
  'google',
  'linkedin',
  'microsoft',
  'twitch',
] as const;

export type ProviderName = (typeof PROVIDER_NAMES)[number];

function appProblem(config: {
  readonly provider: ProviderName;
  readonly client_id: string;
  readonly client_secret: string;
  readonly scopes: readonly string[];
}): Problem | null {
  const { client_id: id, client_secret: secret, scopes } = config;
  if (id !== '' && secret === '') return { number: 2240, facts: { field: 'client_id', other: 'client_secret' } };
  if (id === '' && secret !== '') return { number: 2240, facts: { field: 'client_secret', other: 'client_id' } };
  // An app that many share is asked for what its operator has agreed to.
  if (id === '' && scopes.length > 0) return { number: 2240, facts: { field: 'scopes', other: 'client_id' } };
  return null;
}

export const oauthSchema = z
  .strictObject({ provider: z.enum(PROVIDER_NAMES), ...loginFields })
  .check(verify(appProblem));

export const oauthAction = describeAction({
  type: 'oauth',
  phases: ['on_http_request'],
  resultKey: 'oauth',
  place: { before: 5 },
  config: () => oauthSchema,
});
