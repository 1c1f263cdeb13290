import { join } from 'node:path';

/** Where a data directory keeps what belongs to the store. */
export interface StorePaths {
  readonly directory: string;
  readonly database: string;
  readonly lock: string;
  readonly key: string;
}

export function storePaths(directory: string): StorePaths {
  return {
    directory,
    database: join(directory, 'postern.db'),
    lock: join(directory, 'postern.lock'),
    key: join(directory, 'encryption.key'),
  };
}
