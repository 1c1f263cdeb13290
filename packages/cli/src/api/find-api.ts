import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { readAgentConfig } from '../config/agent-config.ts';
import { isAuthorityWord } from '../config/paths.ts';
import { localServer } from '../find-server.ts';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

/** Where the REST API is, and as whom it is called. */
export interface ApiPlace {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
  /** PEM; absent = the system's authorities. */
  readonly ca?: string;
}

export interface ApiFlags {
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly config?: readonly string[] | undefined;
}

/**
 * As with agents' tokens, a key goes only to the API that it was named with or stored for: one typed with this command to
 * any; one of the configuration to its `api_url`; one of the environment to an API that was named; the one that a local
 * server wrote to that server.
 * @throws UsageError that says what to give
 */
export async function findApi(flags: ApiFlags, env: NodeJS.ProcessEnv = process.env): Promise<ApiPlace> {
  const { settings } = await readAgentConfig(flags, { foreign: false }, env);
  const typed = flags.apiUrl ?? textOf(env['POSTERN_API_URL']);
  const stored = settings.api_url;
  const ours = textOf(env['POSTERN_API_KEY']);
  if (typed !== undefined || stored !== undefined) {
    const url = plain(typed ?? stored ?? '');
    const known = stored !== undefined && plain(stored) === url;
    const key = flags.apiKey ?? ours ?? (known ? settings.api_key : undefined) ?? textOf(env['NGROK_API_KEY']);
    const cas = known ? settings.api_cas : undefined;
    const ca = cas === undefined || isAuthorityWord(cas) ? undefined : await textAt(cas);
    return { url, key: needed(key), ...(ca === undefined ? {} : { ca }) };
  }
  const local = await localServer(env);
  if (local === null) {
    throw new UsageError(
      'No server was found. Start one with "postern server", or name its API with --api-url https://….',
    );
  }
  return { url: plain(local.api_url), key: needed(flags.apiKey ?? (await textAt(local.api_key_path)).trim()) };
}

function plain(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:'))
    throw new UsageError(`${url} is no address of an API; it is written https://host:port.`);
  return `${parsed.origin}${parsed.pathname.replace(/\/$/, '')}`;
}

function needed(key: string | undefined): string {
  if (key === undefined || key === '')
    throw new UsageError('An API key is needed: --api-key, or POSTERN_API_KEY in the environment.');
  return key;
}

const textOf = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

async function textAt(file: string): Promise<string> {
  try {
    return await readFile(path.resolve(file), 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read (${messageOf(cause)}).`, { cause });
  }
}
