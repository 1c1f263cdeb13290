import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AddressData } from '@postern/edge';
import type { AddressFacts, Addresses } from '@postern/policy';
import { ConfigError } from './config/config-error.ts';
import { flagOf } from './config/options.ts';
import type { Logger } from './log.ts';
import { messageOf } from './problem.ts';

/** Bytes of one file; the largest databases of places have a third of it. */
const MOST_BYTES = 1 << 29;
/** A file that is being written changes many times. */
const SETTLE_MS = 500;

/**
 * The files that `--address-data` names, as they are now: read again when they change, and when asked to. They are read
 * and understood before anything is replaced; what cannot be understood leaves in use what was there. One copy serves
 * all edges of the process.
 */
export class AddressFiles implements Addresses {
  readonly #files: readonly string[];
  readonly #log: Logger;
  readonly #watchers: FSWatcher[] = [];
  #data: AddressData;
  #timer: NodeJS.Timeout | null = null;
  /** Readings one after another, so that the last one to begin is the last one to hold. */
  #reading: Promise<void> = Promise.resolve();

  private constructor(files: readonly string[], data: AddressData, log: Logger) {
    this.#files = files;
    this.#data = data;
    this.#log = log;
    for (const folder of new Set(files.map((file) => path.dirname(file)))) {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || files.includes(path.join(folder, name))) this.#soon();
      });
      watcher.on('error', (error) => log.warn({ err: error }, 'address data is not watched any more; SIGHUP reads it'));
      this.#watchers.push(watcher);
    }
  }

  /** @throws ConfigError */
  static async open(files: readonly string[], log: Logger): Promise<AddressFiles> {
    try {
      return new AddressFiles(files, await read(files), log);
    } catch (error) {
      throw new ConfigError(flagOf('address_data'), '', messageOf(error));
    }
  }

  about(ip: string): AddressFacts {
    return this.#data.about(ip);
  }

  /** Never rejects: what is wrong is logged. */
  reload(): Promise<void> {
    this.#reading = this.#again(this.#reading);
    return this.#reading;
  }

  async #again(before: Promise<void>): Promise<void> {
    await before;
    try {
      this.#data = await read(this.#files);
      this.#log.info({ files: this.#files }, 'address data was read again');
    } catch (error) {
      this.#log.error({ err: error }, 'address data could not be read again; what was there stays in use');
    }
  }

  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    return this.#reading;
  }

  #soon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), SETTLE_MS);
    this.#timer.unref();
  }
}

async function read(files: readonly string[]): Promise<AddressData> {
  const all: { name: string; bytes: Buffer }[] = [];
  for (const name of files) {
    const { size } = await stat(name);
    if (size > MOST_BYTES) throw new Error(`${name}: it has more than ${MOST_BYTES} bytes`);
    all.push({ name, bytes: await readFile(name) });
  }
  return new AddressData(all);
}
