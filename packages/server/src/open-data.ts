import { chmod, mkdir } from 'node:fs/promises';
import process from 'node:process';
import {
  type IdSource,
  type OpenStoreOptions,
  type Store,
  StoreRefused,
  loadOrCreateKey,
  openStore,
} from '@postern/store';
import { ConfigError } from './config/config-error.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import type { Handover } from './handover.ts';
import type { Logger } from './log.ts';
import { messageOf } from './problem.ts';

interface OpenParts {
  readonly config: Pick<ServerConfig, 'dataDir'>;
  readonly log: Logger;
  readonly now: () => number;
  readonly handover: Handover;
}

/** The data folder and what is in it, as soon as a server that is leaving lets go of it. @throws ConfigError, StoreRefused */
export async function openData({ config, log, now, handover }: OpenParts, ids: IdSource): Promise<Store> {
  const { dataDir } = config;
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await chmod(dataDir, 0o700);
  } catch (error) {
    throw new ConfigError(flagOf('data_dir'), dataDir, `the folder cannot be used (${messageOf(error)})`);
  }
  const options: OpenStoreOptions = {
    directory: dataDir,
    encryptionKey: await loadOrCreateKey(dataDir, { given: process.env['POSTERN_ENCRYPTION_KEY'] }),
    now,
    ids,
    onHealth: ({ writable, lastError }) => {
      const storeLog = log.child({ sub: 'store' });
      if (writable) storeLog.info({}, 'the database can be written again');
      else storeLog.error({ reason: lastError }, 'the database cannot be written; calls that change something fail');
    },
  };
  for (;;) {
    try {
      return await openStore(options);
    } catch (error) {
      const inUse = error instanceof StoreRefused && error.reason === 'in_use';
      if (!inUse || !(await handover.yields())) throw error;
    }
  }
}
