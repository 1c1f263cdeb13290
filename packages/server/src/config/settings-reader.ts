import { type Address, parseAddress, parsePort } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { type RawSettings, SERVER_OPTIONS, type SettingKey, flagOf } from './options.ts';

/** Settings from several sources, the first that has one wins; each method understands one kind. @throws ConfigError */
export class SettingsReader {
  readonly #sources: readonly RawSettings[];
  constructor(sources: readonly RawSettings[]) {
    this.#sources = sources;
  }

  given(key: SettingKey): boolean {
    return this.#sources.some((source) => source[key] !== undefined);
  }

  list(key: SettingKey): readonly string[] {
    for (const source of this.#sources) {
      const values = source[key];
      if (values !== undefined) return values.filter((value) => value !== '');
    }
    const fallback = SERVER_OPTIONS.find((option) => option.key === key)?.default ?? '';
    return fallback === '' ? [] : [fallback];
  }

  text(key: SettingKey): string {
    const values = this.list(key);
    if (values.length > 1) throw new ConfigError(flagOf(key), values.join(' '), 'takes one value');
    return values[0] ?? '';
  }

  addresses(key: SettingKey): readonly Address[] {
    const addresses = this.list(key).map((text) => parseAddress(flagOf(key), text));
    if (addresses.length === 0) throw new ConfigError(flagOf(key), '', 'an address is needed');
    return addresses;
  }

  choice<T extends string>(key: SettingKey, allowed: readonly T[]): T {
    const value = this.text(key);
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw new ConfigError(flagOf(key), value, `use one of ${allowed.join(', ')}`);
    return found;
  }

  number(key: SettingKey, least: number, most: number): number {
    const text = this.text(key);
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new ConfigError(flagOf(key), text, `expected a number from ${least} to ${most}`);
    }
    return value;
  }

  count(key: SettingKey, most: number, least = 1): number {
    const value = this.number(key, least, most);
    if (!Number.isInteger(value)) throw new ConfigError(flagOf(key), this.text(key), 'expected a whole number');
    return value;
  }

  port(key: SettingKey): number | null {
    const text = this.text(key);
    return text === '' ? null : parsePort(flagOf(key), text, text);
  }

  switch(key: SettingKey): boolean {
    const text = this.text(key);
    if (text === '' || text === 'false' || text === '0') return false;
    if (text === 'true' || text === '1') return true;
    throw new ConfigError(flagOf(key), text, 'expected true or false');
  }

  url(key: SettingKey): string {
    const text = this.text(key);
    if (text === '') return '';
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '') {
      throw new ConfigError(flagOf(key), text, 'expected http(s)://host[:port] without a path: clients drop one');
    }
    return url.origin;
  }
}
