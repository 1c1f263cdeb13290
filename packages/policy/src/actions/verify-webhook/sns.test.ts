/** Messages of Amazon SNS, signed by a certificate that has to be fetched. */
import { createPrivateKey, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ProviderAnswer, ProviderProblem } from '../../services.ts';
import { selfSigned } from '../../testing/certificate.ts';
import { makeContext, NOW } from '../../testing/context.ts';
import { AGENT } from '../../testing/run.ts';
import { compilePolicy } from '../../index.ts';

const PAIR = selfSigned('sns.amazonaws.com', 'Test', 'rsa');
const OTHER = selfSigned('sns.amazonaws.com', 'Test', 'rsa');
const ARN = 'arn:aws:sns:eu-west-1:123456789012:orders';
let count = 0;

/** A new certificate's address each time: what is fetched is kept. */
const address = (): string => `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${(count += 1)}.pem`;

function message(change: object = {}, { version = '2', key = PAIR.key } = {}): Record<string, string> {
  const fields: Record<string, string> = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: ARN,
    Message: 'Zoë says\nhello',
    Timestamp: new Date(NOW).toISOString(),
    SigningCertURL: address(),
    ...change,
  };
  const names =
    fields['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names.flatMap((name) => (fields[name] === undefined ? [] : [`${name}\n${fields[name]}\n`])).join('');
  const signature = sign(version === '1' ? 'sha1' : 'sha256', Buffer.from(text), createPrivateKey(key));
  return { ...fields, SignatureVersion: version, Signature: signature.toString('base64') };
}

type Answer = ProviderAnswer | ProviderProblem;
const CERTIFICATE: Answer = { status: 200, body: Buffer.from(PAIR.cert) };

/** Sends it, and says what came of that and what was fetched. */
async function send(sent: object, { secret = ARN, answer = CERTIFICATE, type = '' } = {}) {
  const asked: string[] = [];
  const providers = {
    callbackUrl: '',
    settings: () => null,
    ask: ({ url }: { readonly url: string }) => {
      asked.push(url);
      return Promise.resolve(answer);
    },
    document: () => Promise.resolve({ problem: 'nobody is asked' }),
  };
  const rules = [{ actions: [{ type: 'verify-webhook', config: { provider: 'sns', secret } }] }];
  const context = makeContext({
    method: 'POST',
    headers: [['x-amz-sns-message-type', type || String(Reflect.get(sent, 'Type'))]],
    body: JSON.stringify(sent),
    services: { providers },
  });
  const outcome = await compilePolicy({ on_http_request: rules }, AGENT).onHttpRequest?.start(context).next();
  return { verified: outcome?.kind === 'continue', asked, warnings: context.warnings };
}

test('messages of the topic come in, of both versions and all types', async () => {
  const confirmation = { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://sns.test/', Token: 't' };
  for (const sent of [
    message(),
    message({ Subject: 'Orders' }),
    message({}, { version: '1' }),
    message(confirmation),
  ]) {
    expect((await send(sent)).verified).toBe(true);
  }
});

test('a certificate is fetched once', async () => {
  const SigningCertURL = address();
  expect((await send(message({ SigningCertURL }))).asked).toEqual([SigningCertURL]);
  const again = await send(message({ SigningCertURL, Message: 'another' }));
  expect([again.verified, again.asked]).toEqual([true, []]);
});

test.each<[string, object]>([
  ['signed by another key', message({}, { key: OTHER.key })],
  ['another message', { ...message(), Message: 'changed' }],
  ['another topic', { ...message(), TopicArn: `${ARN}2` }],
  ['a subject that was not signed', { ...message(), Subject: 'x' }],
])('%s is refused', async (_, sent) => {
  expect((await send(sent)).verified).toBe(false);
});

test.each<[string, object]>([
  ['of another account, well signed', message({ TopicArn: 'arn:aws:sns:eu-west-1:999999999999:orders' })],
  ['too old', message({ Timestamp: new Date(NOW - 3_601_000).toISOString() })],
  ['without a time', message({ Timestamp: 'soon' })],
  ['of an unknown version', { ...message(), SignatureVersion: '3' }],
  ['of an unknown type', message({ Type: 'Other' })],
  ['with a certificate elsewhere', message({ SigningCertURL: 'https://evil.test/SimpleNotificationService-1.pem' })],
  [
    '… under a name that begins so',
    message({ SigningCertURL: 'https://sns.eu-west-1.amazonaws.com.evil.test/SimpleNotificationService-1.pem' }),
  ],
  [
    '… before an @',
    message({ SigningCertURL: 'https://sns.eu-west-1.amazonaws.com@evil.test/SimpleNotificationService-1.pem' }),
  ],
  ['… without TLS', message({ SigningCertURL: 'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem' })],
  [
    '… on another port',
    message({ SigningCertURL: 'https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-1.pem' }),
  ],
  [
    '… in a bucket of anybody',
    message({ SigningCertURL: 'https://sns.s3.amazonaws.com/mine/SimpleNotificationService-1.pem' }),
  ],
  ['no message', { Type: 'Notification' }],
])('%s is refused, and nothing is fetched', async (_, sent) => {
  const { verified, asked } = await send(sent);
  expect([verified, asked]).toEqual([false, []]);
});

test('the header has to say what the body says', async () => {
  expect((await send(message(), { type: 'SubscriptionConfirmation' })).verified).toBe(false);
});

test('without a topic for its secret, any topic comes in', async () => {
  expect((await send(message({ TopicArn: `${ARN}2` }), { secret: 'anything' })).verified).toBe(true);
});

test.each<[string, Answer, string]>([
  ['not there', { status: 404, body: Buffer.from('') }, 'it answered 404'],
  ['not to be had', { problem: 'its name has no address' }, 'no address'],
  ['nonsense', { status: 200, body: Buffer.from('nonsense') }, 'does not parse'],
  ['of another kind', { status: 200, body: Buffer.from(selfSigned('a.test').cert) }, 'not RSA'],
  ['huge', { status: 200, body: Buffer.alloc(20_000) }, '16384'],
])('a certificate that is %s lets nobody in', async (_, answer, words) => {
  const { verified, warnings } = await send(message(), { answer });
  expect(verified).toBe(false);
  expect(warnings.join()).toContain(words);
});
