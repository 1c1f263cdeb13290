import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { type RuntimeInfo, newestRuntime, readRuntime } from '@postern/server/runtime';
import { messageOf } from './problem.ts';
import { UsageError } from './usage-error.ts';

/** Where to connect, whom to trust and as whom. */
export interface ServerPlace {
  /** host:port */
  readonly address: string;
  /** Name in the server's certificate, when the address is not it. */
  readonly serverName?: string;
  /** PEM; absent = the system's authorities. */
  readonly ca?: string;
  readonly authtoken: string;
}

export interface ServerFlags {
  readonly authtoken?: string;
  readonly connectUrl?: string;
  readonly connectCas?: string;
}

/**
 * From the flags and their environment variables; what they leave out comes from a server of this machine: the one whose
 * data folder is POSTERN_DATA_DIR or `./.postern`, else this user's newest.
 * @throws UsageError that says what to give
 */
export async function findServer(flags: ServerFlags): Promise<ServerPlace> {
  const local = flags.connectUrl === undefined ? await localServer() : null;
  const address = flags.connectUrl ?? local?.agent_addr;
  if (address === undefined) {
    throw new UsageError(
      'No server was found. Start one with "postern server", or name it with --connect-url host:port.',
    );
  }
  const authtoken = flags.authtoken ?? (local === null ? '' : await localToken(local.authtoken_path));
  if (authtoken === '') {
    throw new UsageError('An authtoken is needed: --authtoken, or NGROK_AUTHTOKEN in the environment.');
  }
  const ca = await readAuthority(flags.connectCas ?? local?.ca_path);
  return {
    address,
    authtoken,
    // The local certificate names localhost, whatever address the listener has.
    ...(local === null ? {} : { serverName: 'localhost' }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function localServer(): Promise<RuntimeInfo | null> {
  const folder = process.env['POSTERN_DATA_DIR'] ?? '';
  if (folder !== '') return readRuntime(path.resolve(folder));
  return (await readRuntime(path.resolve('.postern'))) ?? newestRuntime();
}

async function localToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new UsageError(
      `${file} cannot be read (${messageOf(cause)}). Give --authtoken, or make new first credentials with ` +
        `"postern server --reset-credentials".`,
      { cause },
    );
  }
}

async function readAuthority(source: string | undefined): Promise<string | undefined> {
  return source === undefined || source === 'host' || source === 'trusted' ? undefined : read(source);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read (${messageOf(cause)}).`, {
      cause,
    });
  }
}
