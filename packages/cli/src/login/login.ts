import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { AgentError, connectAgent } from '@postern/agent';
import { configToWrite } from '../config/paths.ts';
import { setKeys, writePrivately } from '../config/write-config.ts';
import { codeOf, messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { VERSION } from '../version.ts';
import { askForToken } from './ask-token.ts';
import { authorityWithPin } from './pinned-authority.ts';

export interface LoginFlags {
  readonly authtoken: string | undefined;
  readonly connectCas: string | undefined;
  readonly config: readonly string[] | undefined;
}

interface Named {
  /** host:port */
  readonly address: string;
  /** Of the authority's key; '' = the system's authorities. */
  readonly pin: string;
  readonly token: string;
}

/** Stores what the server takes, and nothing before. @throws UsageError */
export async function login(server: string, flags: LoginFlags): Promise<void> {
  const { address, pin, token } = named(server);
  const authtoken = flags.authtoken ?? (token === '' ? await askForToken() : token);
  if (authtoken === '') throw new UsageError('An authtoken is needed; it is in the file authtoken of the server.');
  const ca = await authorityOf(address, pin, flags);
  const account = await accountOf(address, ca, authtoken);
  if (account === null) return;
  const file = configToWrite(flags.config, process.env);
  const authority = path.join(path.dirname(file), `ca-${address.replaceAll(/[^\w.-]/g, '_')}.pem`);
  if (ca !== undefined) await writePrivately(authority, ca);
  await setKeys(file, { connect_url: address, connect_cas: ca === undefined ? 'host' : authority, authtoken });
  process.stdout.write(`Logged in to ${address}${account === '' ? '' : ` as ${account}`}. Stored in ${file}\n`);
}

/** `postern://[token@]host:port[?ca=pin]`, `https://…` alike, or host:port. */
function named(server: string): Named {
  const written = /^(?:postern|https):\/\//i.test(server) ? server.replace(/^[a-z]+:/i, 'https:') : `https://${server}`;
  if (!URL.canParse(written)) throw new UsageError(`"${server}" is no server; it is written host:port.`);
  const url = new URL(written);
  if (url.pathname !== '/') throw new UsageError(`"${server}" has a path; a server is host and port.`);
  const pin = url.searchParams.get('ca') ?? '';
  if (pin !== '' && !/^[\w-]{43}$/.test(pin))
    throw new UsageError(`"${pin}" is not what a server prints behind "ca=".`);
  return { address: `${url.hostname}:${url.port || '443'}`, pin, token: decodeURIComponent(url.username) };
}

async function authorityOf(address: string, pin: string, { connectCas }: LoginFlags): Promise<string | undefined> {
  if (connectCas === undefined || connectCas === 'host') return pin === '' ? undefined : authorityWithPin(address, pin);
  try {
    return await readFile(path.resolve(connectCas), 'utf8');
  } catch (cause) {
    throw new UsageError(`--connect-cas ${connectCas} cannot be read (${messageOf(cause)}).`, { cause });
  }
}

/** Whom the server takes the token for; null when it refuses, which has been said. */
async function accountOf(address: string, ca: string | undefined, authtoken: string): Promise<string | null> {
  let account = '';
  let refusal: AgentError | null = null;
  const session = connectAgent({
    serverAddr: address,
    authtoken,
    ...(ca === undefined ? {} : { ca }),
    userAgent: `postern/${VERSION}`,
    agentVersion: VERSION,
    onStatus({ server, error }) {
      account = server?.accountName ?? account;
      // Whoever logs in is there to try again.
      if (error === undefined || refusal !== null) return;
      refusal = error;
      setImmediate(() => void session.close(0));
    },
  });
  try {
    await session.online();
    await session.close(0);
    return account;
  } catch (error) {
    const reason = AgentError.from(refusal ?? error);
    const code = codeOf(reason);
    process.stderr.write(
      `ERROR:  ${reason.message.split('\n').join('\nERROR:  ')}\n${code === '' ? '' : `ERROR:\nERROR:  ${code}\n`}`,
    );
    process.exitCode = 1;
    return null;
  }
}
