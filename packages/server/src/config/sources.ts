import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from './config-error.ts';
import { SERVER_OPTIONS, type RawSettings, variableOf } from './options.ts';

const LARGEST_FILE = 1024 * 1024;

/** Settings from environment variables; lists are separated by commas or spaces. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): RawSettings {
  const settings: Record<string, readonly string[]> = {};
  for (const option of SERVER_OPTIONS) {
    const value = environment[variableOf(option.key)];
    if (value === undefined || value === '') continue;
    // A certificate's pair of files holds a comma of its own.
    settings[option.key] =
      option.kind === 'list' && option.key !== 'tls_certificate' ? value.split(/[\s,]+/).filter(Boolean) : [value];
  }
  return settings;
}

/** Settings from the YAML file; unknown keys are refused by name. */
export function fromFile(path: string): RawSettings {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('--config', path, `the file cannot be read (${(error as Error).message})`);
  }
  if (text.length > LARGEST_FILE) throw new ConfigError('--config', path, 'the file is larger than 1 MiB');
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 10 }) ?? {};
  } catch (error) {
    throw new ConfigError('--config', path, `the file is not YAML: ${(error as Error).message}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ConfigError('--config', path, 'the file must hold a map of settings');
  }
  const settings: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(document)) {
    if (!SERVER_OPTIONS.some((option) => option.key === key)) {
      const known = SERVER_OPTIONS.map((option) => option.key).join(', ');
      throw new ConfigError('--config', path, `the key "${key}" is not known; known keys: ${known}`);
    }
    settings[key] = textsOf(key, value, path);
  }
  return settings;
}

function textsOf(key: string, value: unknown, path: string): readonly string[] {
  const values = Array.isArray(value) ? (value as unknown[]) : [value];
  return values.map((item) => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return String(item);
    throw new ConfigError('--config', path, `the key "${key}" must be a text or a list of texts`);
  });
}
