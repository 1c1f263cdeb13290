/**
 * What published samples leave to the reader: `<Internal endpoint URL Here>`, `$YOUR_IP/32`, `{your secret}`. Each gets a
 * value of its kind, so that the rest of the document can be judged.
 */
import { metadata, newKey } from '../src/actions/saml/testing.ts';
import { SIGNERS } from '../src/actions/verify-webhook/testing.ts';
import { selfSigned } from '../src/testing/certificate.ts';

const { cert, key } = selfSigned('sample.example.com');

export function filledIn(policy: object): object {
  return Object.fromEntries(
    Object.entries(policy).map(([phase, rules]) => [
      phase,
      Array.isArray(rules) ? rules.map((rule: unknown) => ruleOf(rule)) : rules,
    ]),
  );
}

function ruleOf(rule: unknown): unknown {
  const actions = field(rule, 'actions');
  return Array.isArray(actions) ? { ...Object(rule), actions: actions.map(actionOf) } : rule;
}

function actionOf(action: unknown): unknown {
  const config = field(action, 'config');
  if (typeof config !== 'object' || config === null) return action;
  return { ...Object(action), config: configOf(String(field(action, 'type')), config) };
}

function configOf(type: string, config: object): object {
  switch (type) {
    case 'restrict-ips':
      return mapped(config, ['allow', 'deny'], (text) =>
        /^<.*>$|^\$?[A-Z][A-Z_]+(?:\/\d+)?$/.test(text) ? '203.0.113.0/24' : text,
      );
    case 'terminate-tls':
      return mapped(
        config,
        ['mutual_tls_certificate_authorities', 'server_certificate', 'server_private_key'],
        (text) => (text.includes('...') ? (text.includes('PRIVATE KEY') ? key : cert) : text),
      );
    case 'forward-internal':
      return mapped(config, ['url'], (text) => (text.startsWith('<') ? 'https://sample.internal' : text));
    case 'jwt-validation':
      return mapped(config, ['jws'], (text) =>
        text.replaceAll(/<[A-Z0-9_]+>/g, 'sample').replace(/^\$[A-Z_]+_URL$/, 'https://sample.example.com'),
      );
    case 'openid-connect':
    case 'oidc':
      return mapped(config, ['issuer_url'], (text) =>
        /^[{<].*[}>]$|^\$?[A-Z][A-Z_]+$/.test(text) ? 'https://sample.example.com' : text,
      );
    case 'saml':
      return mapped(config, ['idp_metadata'], (text) => (/^[A-Z][A-Z_]+$/.test(text) ? metadata(newKey()) : text));
    case 'verify-webhook':
    case 'webhook-validation': {
      const signer = Object.entries(SIGNERS).find(([name]) => name === field(config, 'provider'))?.[1];
      return mapped(config, ['secret'], (text) =>
        /^[{<].*[}>]$/.test(text) && signer !== undefined ? signer.secret : text,
      );
    }
    default:
      return config;
  }
}

function mapped(config: object, names: readonly string[], change: (text: string) => string): object {
  const one = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value);
    if (Array.isArray(value)) return value.map(one);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, one(item)]));
  };
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, names.includes(name) ? one(value) : value]),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
