/**
 * Amazon SNS: RSA over lines of fields of the body, by a certificate whose address stands beside them. Whoever has an account
 * there can have its own messages signed so: the secret is the ARN of the topic that may send, and of another text nothing
 * is looked at.
 */
import { verify as verifySignature } from 'node:crypto';
import { memberOf, parseJson } from './own.ts';
import { decode, type Certified, type Message, type Scheme } from './scheme.ts';
import { isFresh } from './time.ts';

const TYPE = 'x-amz-sns-message-type';
const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
/** By the type of the message: what is signed, in this order, as far as it is there. */
const SIGNED: ReadonlyMap<string, readonly string[]> = new Map([
  ['Notification', ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']],
  ['SubscriptionConfirmation', CONFIRMATION],
  ['UnsubscribeConfirmation', CONFIRMATION],
]);
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1', 'sha1'],
  ['2', 'sha256'],
]);

/** Nobody else can have a name there, and nothing else is fetched. */
const CERTIFICATE =
  /^https:\/\/sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?\/SimpleNotificationService-[a-z0-9]{1,64}\.pem$/;

/** A message has 256 KiB at most, and more as JSON. */
const LARGEST = 1024 * 1024;
/** Deliveries that fail are tried again, with the time of the first. */
const HOUR = 3_600;

export function sns(): Scheme {
  return { headers: [TYPE], prepare: () => () => false, certified };
}

function certified({ body, header, now }: Message, secret: string): Certified | null {
  const parsed = parseJson(body, LARGEST);
  const field = (name: string): string => {
    const value = memberOf(parsed, name);
    return typeof value === 'string' ? value : '';
  };
  const type = field('Type');
  const names = SIGNED.get(type);
  const hash = HASHES.get(field('SignatureVersion'));
  const url = field('SigningCertURL');
  const signature = decode(field('Signature'), 'base64', 1_024);
  if (names === undefined || hash === undefined || signature === null || header(TYPE) !== type) return null;
  if (!CERTIFICATE.test(url) || !isFresh(field('Timestamp'), now, HOUR)) return null;
  if (secret.startsWith('arn:') && field('TopicArn') !== secret) return null;
  const lines = names.filter((name) => field(name) !== '').map((name) => `${name}\n${field(name)}\n`);
  const signed = Buffer.from(lines.join(''), 'utf8');
  return { url, verify: (key) => verifySignature(hash, signed, key, signature) };
}
