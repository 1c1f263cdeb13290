/** Who signs how, from the providers' public documentation: a line each. */
import { twitterChallenge, worldlineChallenge, xeroChallenge, zoomChallenge, type Challenge } from './challenges.ts';
import type { Provider } from './schema.ts';
import { numberedSignatures, signedBody, withoutBlanks } from './schemes/body.ts';
import { either } from './schemes/either.ts';
import { contentful, graphcms, mailgun, sendgrid } from './schemes/own.ts';
import { base64Key, textKey, type ReadKey, type Scheme } from './schemes/scheme.ts';
import { sns } from './schemes/sns.ts';
import { standardWebhooks } from './schemes/standard.ts';
import { paired, timed, type Parts } from './schemes/timed.ts';
import { basicCredentials, token } from './schemes/token.ts';
import { HUBSPOT_PARTS, plivo, twilio, urlAndBody, urlAndForm } from './schemes/url.ts';

const V0: Parts = (time, body) => [`v0:${time}:`, body];
const V1: Parts = (time, body) => [`v1:${time}:`, body];
const V2: Parts = (time, body) => [`v2:${time}:`, body];
const TIME_BODY: Parts = (time, body) => [time, body];
const TIME_COLON_BODY: Parts = (time, body) => [`${time}:`, body];
const BODY_TIME: Parts = (time, body) => [body, time];

/** Clearbit's keys are shown as `sk_…`, and sign without that. */
const clearbitKey: ReadKey = (secret) => textKey(secret.replace(/^[ps]k_(?=.)/, ''));

const sha256Hex = { prefix: 'sha256=' } as const;
const meta = signedBody('x-hub-signature-256', 'hex', sha256Hex);
const svix = standardWebhooks();

export const SCHEMES: Readonly<Record<Provider, Scheme>> = {
  aftership: signedBody('aftership-hmac-sha256', 'base64'),
  airship: timed('x-ua-signature', 'x-ua-timestamp', { parts: TIME_COLON_BODY }),
  alchemy: signedBody('x-alchemy-signature', 'hex'),
  autodesk: signedBody('x-adsk-signature', 'hex', { hash: 'sha1', prefix: 'sha1hash=' }),
  bitbucket: signedBody('x-hub-signature', 'hex', sha256Hex),
  bolt: signedBody('x-bolt-hmac-sha256', 'base64'),
  box: timed(['box-signature-primary', 'box-signature-secondary'], 'box-delivery-timestamp', {
    encoding: 'base64',
    parts: BODY_TIME,
    seconds: 600,
  }),
  brex: svix,
  buildkite: either(
    token('x-buildkite-token'),
    paired('x-buildkite-signature', { time: 'timestamp', signature: 'signature' }),
  ),
  calendly: paired('calendly-webhook-signature', { time: 't', signature: 'v1' }, 180),
  castle: signedBody('x-castle-signature', 'base64'),
  chargify: signedBody('x-chargify-webhook-signature-hmac-sha-256', 'hex'),
  circleci: signedBody('circleci-signature', 'hex', { prefix: 'v1=' }),
  clearbit: signedBody('x-request-signature', 'hex', { hash: 'sha1', prefix: 'sha1=', key: clearbitKey }),
  clerk: svix,
  coinbase: signedBody('x-cc-webhook-signature', 'hex'),
  contentful: contentful(),
  docusign: numberedSignatures('x-docusign-signature-', 100),
  dropbox: signedBody('x-dropbox-signature', 'hex'),
  facebook_graph_api: meta,
  facebook_messenger: meta,
  frameio: timed('x-frameio-signature', 'x-frameio-request-timestamp', { prefix: 'v0=', parts: V0 }),
  github: signedBody('x-hub-signature-256', 'hex', sha256Hex),
  gitlab: token('x-gitlab-token'),
  go1: paired('go1-signature', { time: 't', signature: 'v1' }),
  graphcms: graphcms(),
  heroku: signedBody('heroku-webhook-hmac-sha256', 'base64'),
  hostedhooks: paired('hostedhooks-signature', { time: 't', signature: 's' }),
  hubspot: either(
    ...HUBSPOT_PARTS.map((parts) =>
      timed('x-hubspot-signature-v3', 'x-hubspot-request-timestamp', { encoding: 'base64', parts }),
    ),
  ),
  instagram: meta,
  intercom: signedBody('x-hub-signature', 'hex', { hash: 'sha1', prefix: 'sha1=' }),
  jira: signedBody('x-hub-signature', 'hex', sha256Hex),
  launch_darkly: signedBody('x-ld-signature', 'hex'),
  linear: signedBody('linear-signature', 'hex'),
  // Mandrill's. Mailchimp's marketing webhooks are signed by nobody.
  mailchimp: urlAndForm('x-mandrill-signature'),
  mailgun: mailgun(),
  microsoft_teams: signedBody('authorization', 'base64', { prefix: 'HMAC ', key: base64Key }),
  modern_treasury: signedBody('x-signature', 'hex'),
  mongodb: signedBody('x-mms-signature', 'base64', { hash: 'sha1' }),
  mux: paired('mux-signature', { time: 't', signature: 'v1' }),
  orb: timed('x-orb-signature', 'x-orb-timestamp', { prefix: 'v1=', parts: V1 }),
  pagerduty: signedBody('x-pagerduty-signature', 'hex', { prefix: 'v1=' }),
  pinwheel: timed('x-pinwheel-signature', 'x-timestamp', { prefix: 'v2=', parts: V2 }),
  plivo: plivo(),
  pusher: signedBody('x-pusher-signature', 'hex'),
  sendgrid: sendgrid(),
  sentry: signedBody('sentry-hook-signature', 'hex'),
  shopify: signedBody('x-shopify-hmac-sha256', 'base64'),
  signal_sciences: signedBody('x-sigsci-signature', 'hex'),
  slack: timed('x-slack-signature', 'x-slack-request-timestamp', { prefix: 'v0=', parts: V0 }),
  sns: sns(),
  // JSON with blanks in it is signed without them.
  sonatype: signedBody('x-nexus-webhook-signature', 'hex', { hash: 'sha1', form: withoutBlanks }),
  square: urlAndBody('x-square-hmacsha256-signature'),
  stripe: paired('stripe-signature', { time: 't', signature: 'v1' }),
  svix,
  terraform: signedBody('x-tfe-notification-signature', 'hex', { hash: 'sha512' }),
  tiktok: paired('tiktok-signature', { time: 't', signature: 's' }),
  trendmicro_conformity: signedBody(['x-conformity-signature', 'x-trendmicro-signature'], 'hex'),
  twilio: twilio(),
  twitter: jsonObject(signedBody('x-twitter-webhooks-signature', 'base64', sha256Hex)),
  typeform: signedBody('typeform-signature', 'base64', sha256Hex),
  vmware: basicCredentials(),
  webex: signedBody('x-spark-signature', 'hex', { hash: 'sha1' }),
  whatsapp: meta,
  worldline: signedBody('x-gcs-signature', 'base64'),
  xero: signedBody('x-xero-signature', 'base64'),
  zendesk: timed('x-zendesk-webhook-signature', 'x-zendesk-webhook-signature-timestamp', {
    encoding: 'base64',
    parts: TIME_BODY,
  }),
  zoom: timed('x-zm-signature', 'x-zm-request-timestamp', { prefix: 'v0=', parts: V0 }),
};

export const CHALLENGES: Readonly<Partial<Record<Provider, Challenge>>> = {
  twitter: twitterChallenge,
  worldline: worldlineChallenge,
  xero: xeroChallenge,
  zoom: zoomChallenge,
};

/** Twitter's answer to a challenge is an HMAC of what anybody asks: a body that could have been asked for is no message. */
function jsonObject(scheme: Scheme): Scheme {
  return {
    headers: scheme.headers,
    prepare(secret) {
      const verify = scheme.prepare(secret);
      if (typeof verify === 'string') return verify;
      return (message) =>
        message.body.subarray(0, 64).toString('latin1').trimStart().startsWith('{') && verify(message);
    },
  };
}
