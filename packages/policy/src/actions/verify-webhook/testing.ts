/** Webhooks as their providers would send them, signed step by step and by nothing of ours. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Provider } from './schema.ts';

export interface Sent {
  readonly headers: readonly (readonly [string, string])[];
  readonly method: string;
  readonly target: string;
  readonly body: Buffer;
}

export interface Signer {
  readonly secret: string;
  /** Of the same form as `secret`. */
  readonly otherSecret: string;
  readonly body: string;
  readonly target: string;
  /** What it signs has the time in it. */
  readonly timed: boolean;
  headers(body: Buffer, now: number, secret: string): [string, string][];
}

type Headers = Signer['headers'];

const JSON_BODY = '{"event": "created", "id": 17, "name": "Zoë \\" x"}';
const HOST = 'https://app.example.com';
const TARGET = '/hooks/in?a=1&b=%2Fx';
const base = { secret: 'a secret', otherSecret: 'another secret', body: JSON_BODY, target: TARGET };

function hmac(hash: string, key: string | Buffer, ...parts: (string | Buffer)[]): Buffer {
  return createHmac(hash, key)
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest();
}
const hex = (key: string, ...parts: (string | Buffer)[]): string => hmac('sha256', key, ...parts).toString('hex');
const b64 = (key: string, ...parts: (string | Buffer)[]): string => hmac('sha256', key, ...parts).toString('base64');
const seconds = (now: number): string => String(Math.floor(now / 1000));

const plain = (headers: Headers, more: Partial<Signer> = {}): Signer => ({ ...base, timed: false, headers, ...more });
const timed = (headers: Headers, more: Partial<Signer> = {}): Signer => ({ ...base, timed: true, headers, ...more });
const hexOf = (name: string, prefix = ''): Signer => plain((body, _, key) => [[name, prefix + hex(key, body)]]);
const b64Of = (name: string, prefix = ''): Signer => plain((body, _, key) => [[name, prefix + b64(key, body)]]);
const sha1Of = (name: string, prefix = ''): Signer =>
  plain((body, _, key) => [[name, prefix + hmac('sha1', key, body).toString('hex')]]);
const pairs = (name: string, time: string, signature: string): Signer =>
  timed((body, now, key) => {
    const at = seconds(now);
    return [[name, `${time}=${at},${signature}=${'0'.repeat(64)},${signature}=${hex(key, at, '.', body)}`]];
  });
const colons = (name: string, timeName: string, version: string): Signer =>
  timed((body, now, key) => {
    const at = seconds(now);
    return [
      [name, `${version}=${hex(key, `${version}:${at}:`, body)}`],
      [timeName, at],
    ];
  });
const svix = (prefix: string): Signer => {
  const secret = `whsec_${Buffer.from('key of twenty-four bytes').toString('base64')}`;
  const otherSecret = Buffer.from('another key').toString('base64');
  return timed(
    (body, now, key) => {
      const at = seconds(now);
      const bytes = Buffer.from(key.replace('whsec_', ''), 'base64');
      const mac = hmac('sha256', bytes, `msg_1.${at}.`, body).toString('base64');
      return [
        [`${prefix}-id`, 'msg_1'],
        [`${prefix}-timestamp`, at],
        [`${prefix}-signature`, `v1,${b64('old', body)} v1a,x v1,${mac}`],
      ];
    },
    { secret, otherSecret },
  );
};

/** Name and value of each field, by name. */
function fieldsOf(form: string): string {
  return [...new URLSearchParams(form)]
    .map(([name, value]) => name + value)
    .toSorted()
    .join('');
}
const FORM = 'To=%2B1800&Body=hello+you&From=%2B1415';
const ofForm = (name: string): Signer =>
  plain(
    (body, _, key) => [[name, hmac('sha1', key, HOST + TARGET + fieldsOf(body.toString('utf8'))).toString('base64')]],
    { body: FORM },
  );

const ec = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }));
const publicKeys = ec.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }).toString('base64'));

const meta = hexOf('X-Hub-Signature-256', 'sha256=');

export const SIGNERS: Readonly<Record<Provider, Signer>> = {
  aftership: b64Of('aftership-hmac-sha256'),
  airship: timed((body, now, key) => [
    ['X-UA-SIGNATURE', hex(key, `${seconds(now)}:`, body)],
    ['X-UA-TIMESTAMP', seconds(now)],
  ]),
  alchemy: hexOf('X-Alchemy-Signature'),
  autodesk: sha1Of('x-adsk-signature', 'sha1hash='),
  bitbucket: hexOf('X-Hub-Signature', 'sha256='),
  bolt: b64Of('X-Bolt-Hmac-Sha256'),
  box: timed((body, now, key) => {
    const at = new Date(now).toISOString().replace('Z', '+00:00');
    return [
      ['BOX-SIGNATURE-PRIMARY', b64('replaced', body, at)],
      ['BOX-SIGNATURE-SECONDARY', b64(key, body, at)],
      ['BOX-DELIVERY-TIMESTAMP', at],
    ];
  }),
  brex: svix('Webhook'),
  buildkite: pairs('X-Buildkite-Signature', 'timestamp', 'signature'),
  calendly: pairs('Calendly-Webhook-Signature', 't', 'v1'),
  castle: b64Of('X-Castle-Signature'),
  chargify: hexOf('X-Chargify-Webhook-Signature-Hmac-Sha-256'),
  circleci: hexOf('circleci-signature', 'v2=x,v1='),
  clearbit: plain(
    (body, _, key) => [['X-Request-Signature', `sha1=${hmac('sha1', key.replace('sk_', ''), body).toString('hex')}`]],
    { secret: 'sk_12345' },
  ),
  clerk: svix('svix'),
  coinbase: hexOf('X-CC-Webhook-Signature'),
  contentful: timed(
    (body, now, key) => {
      const names = 'x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic';
      const lines = `x-contentful-signed-headers:${names};x-contentful-timestamp:${now};x-contentful-topic:Entry.publish`;
      return [
        ['X-Contentful-Signature', hex(key, `POST\n/hooks/in\n${lines}\n`, body)],
        ['X-Contentful-Signed-Headers', names],
        ['X-Contentful-Timestamp', String(now)],
        ['X-Contentful-Topic', 'Entry.publish'],
      ];
    },
    { target: '/hooks/in' },
  ),
  docusign: plain((body, _, key) => [
    ['X-DocuSign-Signature-1', b64('key of another', body)],
    ['X-DocuSign-Signature-2', b64(key, body)],
  ]),
  dropbox: hexOf('X-Dropbox-Signature'),
  facebook_graph_api: meta,
  facebook_messenger: meta,
  frameio: colons('X-Frameio-Signature', 'X-Frameio-Request-Timestamp', 'v0'),
  github: meta,
  gitlab: plain((_, _now, key) => [['X-Gitlab-Token', key]]),
  go1: pairs('Go1-Signature', 't', 'v1'),
  graphcms: timed((body, now, key) => {
    const text = JSON.stringify({ Body: body.toString('utf8'), EnvironmentName: 'master', TimeStamp: now });
    return [['gcms-signature', `sign=${b64(key, text)}, env=master, t=${now}`]];
  }),
  heroku: b64Of('Heroku-Webhook-Hmac-SHA256'),
  hostedhooks: pairs('HostedHooks-Signature', 't', 's'),
  hubspot: timed((body, now, key) => [
    ['X-HubSpot-Signature-v3', b64(key, `POST${HOST}/hooks/in?a=1&b=/x`, body, String(now))],
    ['X-HubSpot-Request-Timestamp', String(now)],
  ]),
  instagram: meta,
  intercom: sha1Of('X-Hub-Signature', 'sha1='),
  jira: hexOf('X-Hub-Signature', 'sha256='),
  launch_darkly: hexOf('X-LD-Signature'),
  linear: hexOf('Linear-Signature'),
  mailchimp: ofForm('X-Mandrill-Signature'),
  // Its signature is in its body: see the tests of its own.
  mailgun: plain(() => []),
  microsoft_teams: plain(
    (body, _, key) => [
      ['Authorization', `HMAC ${hmac('sha256', Buffer.from(key, 'base64'), body).toString('base64')}`],
    ],
    { secret: Buffer.from('a token').toString('base64'), otherSecret: Buffer.from('another').toString('base64') },
  ),
  modern_treasury: hexOf('X-Signature'),
  mongodb: plain((body, _, key) => [['X-MMS-Signature', hmac('sha1', key, body).toString('base64')]]),
  mux: pairs('Mux-Signature', 't', 'v1'),
  orb: colons('X-Orb-Signature', 'X-Orb-Timestamp', 'v1'),
  pagerduty: plain((body, _, key) => [['X-PagerDuty-Signature', `v1=${hex('old', body)},v1=${hex(key, body)}`]]),
  pinwheel: colons('x-pinwheel-signature', 'x-timestamp', 'v2'),
  plivo: plain(
    (body, _, key) => {
      const signed = `${HOST}/hooks/in?a=1&b=/x.${fieldsOf(body.toString('utf8'))}.n0nce`;
      return [
        ['X-Plivo-Signature-V3', `${b64('old', signed)},${b64(key, signed)}`],
        ['X-Plivo-Signature-V3-Nonce', 'n0nce'],
      ];
    },
    { body: FORM },
  ),
  pusher: hexOf('X-Pusher-Signature'),
  sendgrid: timed(
    (body, now, key) => {
      const { privateKey } = ec[publicKeys.indexOf(key)] ?? {};
      if (privateKey === undefined) throw new Error('not one of our keys');
      const text = Buffer.concat([Buffer.from(seconds(now)), body]);
      return [
        ['X-Twilio-Email-Event-Webhook-Signature', sign('sha256', text, privateKey).toString('base64')],
        ['X-Twilio-Email-Event-Webhook-Timestamp', seconds(now)],
      ];
    },
    { secret: publicKeys[0] ?? '', otherSecret: publicKeys[1] ?? '' },
  ),
  sentry: hexOf('Sentry-Hook-Signature'),
  shopify: b64Of('X-Shopify-Hmac-Sha256'),
  signal_sciences: hexOf('X-SigSci-Signature'),
  sns: plain(() => []),
  slack: colons('X-Slack-Signature', 'X-Slack-Request-Timestamp', 'v0'),
  sonatype: plain((body, _, key) => {
    const text = JSON.stringify(JSON.parse(body.toString('utf8')));
    return [['X-Nexus-Webhook-Signature', hmac('sha1', key, text).toString('hex')]];
  }),
  square: plain((body, _, key) => [['X-Square-HmacSha256-Signature', b64(key, HOST, TARGET, body)]]),
  stripe: pairs('Stripe-Signature', 't', 'v1'),
  svix: svix('webhook'),
  terraform: plain((body, _, key) => [['X-TFE-Notification-Signature', hmac('sha512', key, body).toString('hex')]]),
  tiktok: pairs('TikTok-Signature', 't', 's'),
  trendmicro_conformity: hexOf('X-Conformity-Signature'),
  twilio: ofForm('X-Twilio-Signature'),
  twitter: b64Of('X-Twitter-Webhooks-Signature', 'sha256='),
  typeform: b64Of('Typeform-Signature', 'sha256='),
  vmware: plain(
    (_, _now, key) => [['Authorization', `Basic ${Buffer.from(key.replace('::', ':')).toString('base64')}`]],
    { secret: 'user::pass:word', otherSecret: 'user::password' },
  ),
  webex: sha1Of('X-Spark-Signature'),
  whatsapp: meta,
  worldline: b64Of('X-GCS-Signature'),
  xero: b64Of('x-xero-signature'),
  zendesk: timed((body, now, key) => {
    const at = new Date(now).toISOString().replace(/\.\d+/, '');
    return [
      ['X-Zendesk-Webhook-Signature', b64(key, at, body)],
      ['X-Zendesk-Webhook-Signature-Timestamp', at],
    ];
  }),
  zoom: colons('x-zm-signature', 'x-zm-request-timestamp', 'v0'),
};

export function send(provider: Provider, now: number, secret?: string): Sent {
  const signer = SIGNERS[provider];
  const body = Buffer.from(signer.body);
  return { method: 'POST', target: signer.target, body, headers: signer.headers(body, now, secret ?? signer.secret) };
}
