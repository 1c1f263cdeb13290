import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { messageOf } from '../problem.ts';
import { ConfigError } from './config-error.ts';
import { SERVER_OPTIONS, type RawSettings, type SettingKey, isSettingKey, variableOf } from './options.ts';

const LARGEST_FILE = 1024 * 1024;

/** Settings from environment variables; lists are separated by commas or spaces, pairs of files by spaces alone. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): RawSettings {
  const settings: Partial<Record<SettingKey, readonly string[]>> = {};
  for (const { key, kind } of SERVER_OPTIONS) {
    const value = environment[variableOf(key)];
    if (value === undefined || value === '') continue;
    const separator = key === 'tls_certificate' ? /\s+/ : /[\s,]+/;
    settings[key] = kind === 'list' ? value.split(separator).filter(Boolean) : [value];
  }
  return settings;
}

/** Settings from the YAML file; unknown keys are refused by name. @throws ConfigError */
export function fromFile(path: string): RawSettings {
  const settings: Partial<Record<SettingKey, readonly string[]>> = {};
  for (const [key, value] of Object.entries(readDocument(path))) {
    if (!isSettingKey(key)) {
      const known = SERVER_OPTIONS.map((option) => option.key).join(', ');
      throw new ConfigError('--config', path, `the key "${key}" is not known; known keys: ${known}`);
    }
    settings[key] = textsOf(key, value, path);
  }
  return settings;
}

function readDocument(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('--config', path, `the file cannot be read (${messageOf(error)})`);
  }
  if (text.length > LARGEST_FILE) throw new ConfigError('--config', path, 'the file is larger than 1 MiB');
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 10 }) ?? {};
  } catch (error) {
    throw new ConfigError('--config', path, `the file is not YAML: ${messageOf(error)}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ConfigError('--config', path, 'the file must hold a map of settings');
  }
  return Object.fromEntries(Object.entries(document));
}

function textsOf(key: string, value: unknown, path: string): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((item) => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return String(item);
    throw new ConfigError('--config', path, `the key "${key}" must be a text or a list of texts`);
  });
}
