import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { newestRuntime, readRuntime } from '@postern/server/runtime';

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
 * From the flags and their environment variables; what they leave out comes from the newest server of this user, or from
 * the one whose data folder is `./.postern`.
 * @throws Error that says what to give
 */
export async function findServer(flags: ServerFlags): Promise<ServerPlace> {
  const explicit = flags.connectUrl !== undefined;
  const local = explicit
    ? null
    : ((await readRuntime(path.join(process.cwd(), '.postern'))) ?? (await newestRuntime()));
  const address = flags.connectUrl ?? local?.agent_addr;
  if (address === undefined) {
    throw new Error('No server was found. Start one with "postern server", or name it with --connect-url host:port.');
  }
  const authtoken =
    flags.authtoken ?? (local === null ? undefined : (await readFile(local.authtoken_path, 'utf8')).trim());
  if (authtoken === undefined || authtoken === '') {
    throw new Error('An authtoken is needed: --authtoken, or NGROK_AUTHTOKEN in the environment.');
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

async function readAuthority(source: string | undefined): Promise<string | undefined> {
  if (source === undefined || source === 'host' || source === 'trusted') return undefined;
  return readFile(source, 'utf8');
}
