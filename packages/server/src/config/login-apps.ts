/** The file of `--oauth-apps`: what the operator says of identity providers. */
import { readFileSync } from 'node:fs';
import { PROVIDER_NAMES, type ProviderSettings } from '@postern/policy';
import { parse } from 'yaml';
import { messageOf } from '../problem.ts';
import { ConfigError } from './config-error.ts';
import { flagOf } from './options.ts';

const LARGEST_FILE = 64 * 1024;

const FIELDS = {
  client_id: 'clientId',
  client_secret: 'clientSecret',
  issuer: 'issuer',
  authorize_url: 'authorizeUrl',
  token_url: 'tokenUrl',
  userinfo_url: 'userinfoUrl',
} as const satisfies Readonly<Record<string, keyof ProviderSettings>>;

const NOTHING: ProviderSettings = {
  clientId: '',
  clientSecret: '',
  issuer: '',
  authorizeUrl: '',
  tokenUrl: '',
  userinfoUrl: '',
};

/** @param path '' = there is none. @throws ConfigError, which repeats no secret */
export function readLoginApps(path: string): Readonly<Record<string, ProviderSettings>> {
  if (path === '') return {};
  const refuse = (reason: string): ConfigError => new ConfigError(flagOf('oauth_apps'), path, reason);
  const providers: Record<string, ProviderSettings> = {};
  for (const [name, fields] of Object.entries(readDocument(path, refuse))) {
    if (!PROVIDER_NAMES.some((known) => known === name)) {
      throw refuse(`"${name}" is no provider; they are ${PROVIDER_NAMES.join(', ')}`);
    }
    if (!isMap(fields)) throw refuse(`"${name}" must be a map of ${Object.keys(FIELDS).join(', ')}`);
    providers[name] = readProvider(name, fields, refuse);
  }
  return providers;
}

function readProvider(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  refuse: (reason: string) => ConfigError,
): ProviderSettings {
  const settings: { -readonly [Field in keyof ProviderSettings]: string } = { ...NOTHING };
  for (const [key, value] of Object.entries(fields)) {
    if (!isField(key)) throw refuse(`"${name}.${key}" is not known; known are ${Object.keys(FIELDS).join(', ')}`);
    if (typeof value !== 'string' || value === '') throw refuse(`"${name}.${key}" must be a text`);
    if (key.endsWith('_url') && !isWebAddress(value)) throw refuse(`"${name}.${key}" must be an address`);
    settings[FIELDS[key]] = value;
  }
  if ((settings.clientId === '') !== (settings.clientSecret === '')) {
    throw refuse(`"${name}" needs client_id and client_secret, or neither of them`);
  }
  return settings;
}

function isField(key: string): key is keyof typeof FIELDS {
  return Object.hasOwn(FIELDS, key);
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function readDocument(path: string, refuse: (reason: string) => ConfigError): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw refuse(`the file cannot be read (${messageOf(error)})`);
  }
  if (text.length > LARGEST_FILE) throw refuse('the file is larger than 64 KiB');
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 10 }) ?? {};
  } catch {
    // The parser's own words repeat the line.
    throw refuse('the file is not YAML');
  }
  if (!isMap(document)) throw refuse('the file must hold a map of providers');
  return document;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
