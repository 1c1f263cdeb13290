/** Examples that providers have published, so that we agree with them and not only with ourselves. */
import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { SCHEMES } from '../providers.ts';
import type { Provider } from '../schema.ts';
import type { Message } from './scheme.ts';

interface Example {
  readonly provider: Provider;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly url?: readonly [authority: string, target: string];
  readonly method?: string;
  /** Unix seconds. */
  readonly at?: number;
}

function holds({ provider, secret, headers, body, url, method = 'POST', at = 0 }: Example, now = at): boolean {
  const verify = SCHEMES[provider].prepare(secret);
  if (typeof verify === 'string') throw new Error(verify);
  const [authority, target] = url ?? ['example.com', '/'];
  const message: Message = {
    method,
    scheme: 'https',
    authority,
    target,
    header: (name) => headers[name],
    body: Buffer.from(body),
    now: now * 1000,
  };
  return verify(message);
}

const SLACK_BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar' +
  '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com' +
  '%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';

const EXAMPLES: readonly Example[] = [
  {
    provider: 'github',
    secret: "It's a Secret to Everybody",
    headers: {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    },
    body: 'Hello, World!',
  },
  {
    provider: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      'x-slack-request-timestamp': '1531420618',
    },
    body: SLACK_BODY,
    at: 1_531_420_618,
  },
  {
    provider: 'svix',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {
      'svix-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'svix-timestamp': '1614265330',
      'svix-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  {
    provider: 'twilio',
    secret: '12345',
    headers: { 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' },
    body: 'Digits=1234&CallSid=CA1234567890ABCDE&To=%2B18005551212&Caller=%2B14158675309&From=%2B14158675309',
    url: ['mycompany.com', '/myapp.php?foo=1&bar=2'],
  },
  {
    provider: 'square',
    secret: 'asdf1234',
    headers: { 'x-square-hmacsha256-signature': '2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=' },
    body: '{"hello":"world"}',
    url: ['example.com', '/webhook'],
  },
];

it.each(EXAMPLES)('$provider', (example) => {
  expect(holds(example)).toBe(true);
  expect(holds({ ...example, body: `${String(example.body)} ` })).toBe(false);
  if (example.at !== undefined) expect(holds(example, example.at + 301)).toBe(false);
});

// What one example per provider does not reach.

const base64 = (hash: string, key: string, text: string): string => createHmac(hash, key).update(text).digest('base64');

it('twilio signs with or without the port, and JSON by its digest', () => {
  const body = '{"a":1}';
  const sum = createHash('sha256').update(body).digest('hex');
  const target = `/in?bodySHA256=${sum}`;
  const url = ['example.com:8443', target] as const;
  const example: Example = { provider: 'twilio', secret: 's', headers: {}, body, url };
  for (const signed of ['https://example.com:8443', 'https://example.com', 'https://example.com:443']) {
    const headers = { 'x-twilio-signature': base64('sha1', 's', signed + target) };
    expect(holds({ ...example, headers })).toBe(true);
    expect(holds({ ...example, headers, body: '{"a":2}' })).toBe(false);
  }
  // Without the digest nothing says what the body was.
  const headers = { 'x-twilio-signature': base64('sha1', 's', 'https://example.com:8443/in') };
  expect(holds({ ...example, url: ['example.com:8443', '/in'], headers })).toBe(false);
  expect(holds({ ...example, url: ['example.com:8443', '/in'], headers, body: '' })).toBe(true);
  const many = 'a=1&'.repeat(1001);
  const tooMany = { 'x-twilio-signature': base64('sha1', 's', `https://example.com:8443/ina1`) };
  expect(holds({ ...example, url: ['example.com:8443', '/in'], headers: tooMany, body: many })).toBe(false);
});

it('plivo signs a GET by its sorted query', () => {
  const headers = {
    'x-plivo-signature-ma-v3': base64('sha256', 's', 'https://example.com/in?a=1&b=2.77'),
    'x-plivo-signature-v3-nonce': '77',
  };
  const example: Example = { provider: 'plivo', secret: 's', headers, body: '', url: ['example.com', '/in?b=2&a=1'] };
  expect(holds({ ...example, method: 'GET' })).toBe(true);
  expect(holds({ ...example, method: 'GET', url: ['example.com', '/in?b=2&a=2'] })).toBe(false);
});

it('buildkite and trendmicro_conformity have two headers', () => {
  expect(holds({ provider: 'buildkite', secret: 's', headers: { 'x-buildkite-token': 's' }, body: 'x' })).toBe(true);
  expect(holds({ provider: 'buildkite', secret: 's', headers: { 'x-buildkite-token': 't' }, body: 'x' })).toBe(false);
  const signature = createHmac('sha256', 's').update('x').digest('hex');
  const headers = { 'x-trendmicro-signature': signature };
  expect(holds({ provider: 'trendmicro_conformity', secret: 's', headers, body: 'x' })).toBe(true);
});

it('mailgun signs JSON and forms', () => {
  const signature = createHmac('sha256', 's').update('1700000000a token').digest('hex');
  const fields = { timestamp: '1700000000', token: 'a token', signature };
  const example = { provider: 'mailgun', secret: 's', headers: {}, at: 1_700_000_000 } as const;
  const json = JSON.stringify({ 'event-data': {}, signature: fields });
  expect(holds({ ...example, body: json })).toBe(true);
  expect(holds({ ...example, body: new URLSearchParams(fields).toString() })).toBe(true);
  expect(holds({ ...example, body: json }, 1_700_000_301)).toBe(false);
  expect(holds({ ...example, secret: 't', body: json })).toBe(false);
  expect(holds({ ...example, body: json.replace('a token', 'b token') })).toBe(false);
  expect(holds({ ...example, body: JSON.stringify(fields) })).toBe(false);
  expect(holds({ ...example, body: `${' '.repeat(1024 * 1024)}${json}` })).toBe(false);
  expect(holds({ ...example, body: '' })).toBe(false);
});

it('contentful signs the time, or nothing', () => {
  const names = 'x-contentful-signed-headers';
  const signature = createHmac('sha256', 's').update(`POST\n/\n${names}:${names}\nx`).digest('hex');
  const headers = { 'x-contentful-signature': signature, [names]: names, 'x-contentful-timestamp': '1700000000000' };
  expect(holds({ provider: 'contentful', secret: 's', headers, body: 'x', at: 1_700_000_000 })).toBe(false);
});

it('twitter signs objects: what can be had as the answer to a challenge is no message', () => {
  const headers = { 'x-twitter-webhooks-signature': `sha256=${base64('sha256', 's', 'abc')}` };
  expect(holds({ provider: 'twitter', secret: 's', headers, body: 'abc' })).toBe(false);
});
