/** traffic-policy.md §4 verify-webhook. Which provider signs how is in providers.ts. */
import * as z from 'zod/mini';
import { flag, text, verify, withDefault, type Problem } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

export const PROVIDERS = [
  'aftership',
  'airship',
  'alchemy',
  'autodesk',
  'bitbucket',
  'bolt',
  'box',
  'brex',
  'buildkite',
  'calendly',
  'castle',
  'chargify',
  'circleci',
  'clearbit',
  'clerk',
  'coinbase',
  'contentful',
  'docusign',
  'dropbox',
  'facebook_graph_api',
  'facebook_messenger',
  'frameio',
  'github',
  'gitlab',
  'go1',
  'graphcms',
  'heroku',
  'hostedhooks',
  'hubspot',
  'instagram',
  'intercom',
  'jira',
  'launch_darkly',
  'linear',
  'mailchimp',
  'mailgun',
  'microsoft_teams',
  'modern_treasury',
  'mongodb',
  'mux',
  'orb',
  'pagerduty',
  'pinwheel',
  'plivo',
  'pusher',
  'sendgrid',
  'sentry',
  'shopify',
  'signal_sciences',
  'slack',
  'sns',
  'sonatype',
  'square',
  'stripe',
  'svix',
  'terraform',
  'tiktok',
  'trendmicro_conformity',
  'twilio',
  'twitter',
  'typeform',
  'vmware',
  'webex',
  'whatsapp',
  'worldline',
  'xero',
  'zendesk',
  'zoom',
] as const;

export type Provider = (typeof PROVIDERS)[number];

/** Names of the providers' guides. */
const ALIASES: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  ['signalsciences', 'signal_sciences'],
  ['sonatype_nexus', 'sonatype'],
  ['vmware_workspace', 'vmware'],
]);

/** Of the language, but not verified here: a check that guesses would be worse than none. */
const REFUSED: ReadonlyMap<string, string> = new Map([['orbit', 'how it signs is not documented']]);

const KNOWN: ReadonlyMap<string, Provider> = new Map([
  ...PROVIDERS.map((name): [string, Provider] => [name, name]),
  ...ALIASES,
]);

function providerProblem(name: string): Problem | null {
  if (KNOWN.has(name)) return null;
  const reason = REFUSED.get(name);
  if (reason !== undefined) return { number: 90030, facts: { what: `verifying webhooks of ${name} (${reason})` } };
  return { number: 2222, facts: { value: printable(name), allowed: PROVIDERS.join(', ') } };
}

export const verifyWebhookSchema = z.strictObject({
  provider: z.pipe(
    z.pipe(
      text.check(verify(providerProblem)),
      z.transform((name) => KNOWN.get(name)),
    ),
    z.enum(PROVIDERS),
  ),
  secret: text.check(z.minLength(1), z.maxLength(8192)),
  enforce: withDefault(flag, true),
});

export const verifyWebhookAction = describeAction({
  type: 'verify-webhook',
  phases: ['on_http_request'],
  aliases: ['webhook-validation'],
  place: { before: 8 },
  resultKey: 'verify_webhook',
  config: () => verifyWebhookSchema,
});
