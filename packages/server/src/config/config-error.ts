/** A setting that cannot be used. The message names the flag, the value and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(flag: string, value: string, reason: string) {
    super(value === '' ? `${flag}: ${reason}` : `${flag} ${value}: ${reason}`);
  }
}
