import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { type RuntimeInfo, newestRuntime, readRuntime } from '@postern/server/runtime';
import { isAuthorityWord } from './config/paths.ts';
import type { AgentSettings } from './config/read-config.ts';
import { messageOf } from './problem.ts';
import { UsageError } from './usage-error.ts';

/** Where to connect, whom to trust and as whom. */
export interface ServerPlace {
  /** host:port of each, in the order of preference; at least one. */
  readonly addresses: readonly string[];
  /** Name in the server's certificate, when the address is not it. */
  readonly serverName?: string;
  /** PEM; absent = the system's authorities. */
  readonly ca?: string;
  readonly authtoken: string;
}

export interface ServerFlags {
  readonly authtoken?: string;
  readonly connectUrls?: readonly string[];
  readonly connectCas?: string;
}

export interface ServerSources {
  readonly env?: NodeJS.ProcessEnv;
  /** Of the configuration files. */
  readonly settings?: Pick<AgentSettings, 'authtoken' | 'connect_url' | 'connect_urls' | 'connect_cas'>;
  /** Takes what a user may wonder about: which server it is and why, and tokens that are not sent. */
  readonly say?: (words: string) => void;
}

/**
 * The server that is named by flag, else by POSTERN_CONNECT_URL, else by the configuration; else one of this machine:
 * the one whose data folder is POSTERN_DATA_DIR or `./.postern`, else this user's newest.
 *
 * A token is a secret between this user and one server (agent-and-ux.md §7). It goes to a server that it was named with,
 * or stored for: one typed with this very command, to any; one of the configuration, to the server that the configuration
 * names; one of the environment, to a server that was named at all; the one that a local server wrote, to that server.
 * @throws UsageError that says what to give
 */
export async function findServer(flags: ServerFlags, sources: ServerSources = {}): Promise<ServerPlace> {
  const { env = process.env, settings = {}, say = () => {} } = sources;
  const ours = textOf(env['POSTERN_AUTHTOKEN']);
  const token = ours ?? textOf(env['NGROK_AUTHTOKEN']);
  const typed = flags.connectUrls ?? listOf(env['POSTERN_CONNECT_URL']);
  const stored = storedAddresses(settings);
  const cas = flags.connectCas ?? textOf(env['POSTERN_CONNECT_CAS']);
  if (typed !== undefined || stored.length > 0) {
    const addresses = typed ?? stored;
    const strangers = addresses.filter((address) => !stored.some((known) => sameServer(address, known)));
    const known = strangers.length === 0;
    const own = known ? settings.authtoken : undefined;
    say(`${addresses.join(', ')}, ${typed === undefined ? 'of the configuration' : 'as named'}`);
    if (!known && settings.authtoken !== undefined)
      say(`the authtoken of the configuration is not sent to ${strangers.join(', ')}, which it was not stored for`);
    const authtoken = flags.authtoken ?? ours ?? own ?? token;
    const ca = await readAuthority(cas ?? (known ? settings.connect_cas : undefined));
    return { addresses, authtoken: needed(authtoken), ...(ca === undefined ? {} : { ca }) };
  }
  const local = await localServer(env);
  if (local === null) {
    throw new UsageError(
      'No server was found. Start one with "postern server", or name it with --connect-url host:port.',
    );
  }
  say(`${local.agent_addr}, found on this machine (${path.dirname(local.ca_path)})`);
  if (flags.authtoken === undefined) {
    const unused = token === undefined ? settings.authtoken && 'configuration' : 'environment';
    if (unused !== undefined)
      say(`the authtoken of the ${unused} is not sent to a server that it was not named with; --connect-url names one`);
  }
  const ca = await readAuthority(cas ?? local.ca_path);
  return {
    addresses: [local.agent_addr],
    authtoken: needed(flags.authtoken ?? (await localToken(local.authtoken_path))),
    // The local certificate names localhost, whatever address the listener has.
    serverName: 'localhost',
    ...(ca === undefined ? {} : { ca }),
  };
}

/** The server of this machine that is meant where none is named. */
export async function localServer(env: NodeJS.ProcessEnv): Promise<RuntimeInfo | null> {
  const folder = env['POSTERN_DATA_DIR'] ?? '';
  if (folder !== '') return readRuntime(path.resolve(folder));
  return (await readRuntime(path.resolve('.postern'))) ?? newestRuntime();
}

function needed(authtoken: string | undefined): string {
  if (authtoken === undefined || authtoken === '')
    throw new UsageError('An authtoken is needed: --authtoken, or NGROK_AUTHTOKEN in the environment.');
  return authtoken;
}

function storedAddresses({
  connect_url: one,
  connect_urls: more = [],
}: NonNullable<ServerSources['settings']>): string[] {
  return [...new Set([...(one === undefined ? [] : [one]), ...more])];
}

/** `tunnel.example.com` and `Tunnel.example.com:443` are one. */
function sameServer(left: string, right: string): boolean {
  const plain = (address: string): string => {
    const text = address.trim().toLowerCase();
    return /:\d+$/.test(text) ? text : `${text}:443`;
  };
  return plain(left) === plain(right);
}

const textOf = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

const listOf = (value: string | undefined): readonly string[] | undefined =>
  textOf(value)
    ?.split(',')
    .map((part) => part.trim());

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
  return source === undefined || isAuthorityWord(source) ? undefined : read(source);
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
