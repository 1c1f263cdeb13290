/** Standard Webhooks, which Svix began: an HMAC of `id.time.body`, base64, by a key that is written `whsec_` and base64. */
import { base64Key, behind, isOneOf, keyed, mac, type Message, type ReadKey, type Scheme } from './scheme.ts';
import { FIVE_MINUTES, isFresh } from './time.ts';

const PREFIXES = ['svix', 'webhook'] as const;

const whsecKey: ReadKey = (secret) => {
  const key = base64Key(behind('whsec_', secret) ?? secret);
  return typeof key === 'string' ? 'this secret is base64 text, behind whsec_' : key;
};

/** Headers go by both names: older senders say `svix-id`, newer ones `webhook-id`. */
export function standardWebhooks(): Scheme {
  return {
    headers: PREFIXES.map((prefix) => `${prefix}-signature`),
    prepare: keyed(whsecKey, (key, message) => PREFIXES.some((prefix) => isSigned(prefix, key, message))),
  };
}

function isSigned(prefix: string, key: Parameters<typeof mac>[1], message: Message): boolean {
  const id = message.header(`${prefix}-id`);
  const time = message.header(`${prefix}-timestamp`);
  if (id === undefined || time === undefined || !isFresh(time, message.now, FIVE_MINUTES)) return false;
  const signatures = (message.header(`${prefix}-signature`) ?? '')
    .split(' ', 32)
    .flatMap((item) => behind('v1,', item) ?? []);
  return isOneOf(mac('sha256', key, `${id}.${time}.`, message.body), signatures, 'base64');
}
