/**
 * Whether a name leads to this server, asked the way an authority will ask: the name is resolved, and what is there has
 * to know a word that only this server knows. So a name that is pointed elsewhere costs no order, whatever its records say.
 * Where it leads is its owner's choice, so that nothing is reached that is neither public nor this machine.
 */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as tlsConnect } from 'node:tls';
import { isPublicAddress } from '@postern/policy';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 1_024;
/** More are not looked at: an authority takes any of them. */
const MOST_ADDRESSES = 8;

export interface Checking {
  readonly resolve: (name: string) => Promise<readonly string[]>;
  readonly httpPort: number;
  readonly httpsPort: number;
}

/** null = yes; else what is wrong, in words. */
export type Verdict = string | null;

/** @returns its addresses, all of which may be asked; or what is wrong */
export async function addressesOf(name: string, resolve: Checking['resolve']): Promise<readonly string[] | string> {
  let addresses: readonly string[];
  try {
    addresses = await within(resolve(name));
  } catch {
    return 'it has no address yet';
  }
  if (addresses.length === 0) return 'it has no address yet';
  const strange = addresses.find((address) => !mayAsk(address));
  return strange === undefined
    ? addresses.slice(0, MOST_ADDRESSES)
    : `it leads to ${strange}, which is no public address`;
}

/** Asks every address by plain HTTP: authorities choose among them. */
export async function checkHttp(
  { httpPort }: Checking,
  name: string,
  addresses: readonly string[],
  token: string,
  answer: string,
): Promise<Verdict> {
  const verdicts = await Promise.all(addresses.map((address) => askHttp(address, httpPort, name, token, answer)));
  return verdicts.find((verdict) => verdict !== null) ?? null;
}

/** The same by a TLS handshake. @param certificate that is expected, DER */
export async function checkTls(
  { httpsPort }: Checking,
  name: string,
  addresses: readonly string[],
  certificate: Uint8Array,
): Promise<Verdict> {
  const verdicts = await Promise.all(addresses.map((address) => askTls(address, httpsPort, name, certificate)));
  return verdicts.find((verdict) => verdict !== null) ?? null;
}

function askHttp(host: string, port: number, name: string, token: string, answer: string): Promise<Verdict> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sent = request(
      {
        host,
        port,
        signal,
        agent: false,
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host: name, connection: 'close', 'user-agent': 'postern' },
        maxHeaderSize: 16_384,
      },
      (got) => {
        let text = '';
        got.setEncoding('latin1');
        got.on('data', (part: string) => {
          text = (text + part).slice(0, MOST_BYTES);
        });
        got.on('end', () => {
          sent.destroy();
          resolve(text === answer ? null : `${host} is another server: it answers ${got.statusCode ?? 0}`);
        });
        got.on('error', () => resolve(`${host} breaks off`));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(`${host} port ${port}: ${wordsOf(error, signal)}`));
    sent.end();
  });
}

function askTls(host: string, port: number, name: string, certificate: Uint8Array): Promise<Verdict> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const done = (verdict: Verdict, socket: Socket): void => {
      socket.destroy();
      resolve(verdict);
    };
    const socket = tlsConnect(
      { host, port, servername: name, ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false },
      () => {
        const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
        const same = digest(socket.getPeerCertificate().raw) === digest(certificate);
        done(same ? null : `${host} is another server`, socket);
      },
    );
    signal.addEventListener('abort', () => done(`${host} port ${port}: no answer`, socket));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(`${host} port ${port}: ${wordsOf(error, signal)}`, socket),
    );
  });
}

function wordsOf({ code, message }: NodeJS.ErrnoException, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer';
  return code === 'ECONNREFUSED' ? 'nobody listens there' : (code ?? message);
}

function mayAsk(address: string): boolean {
  const own = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address) === true);
  return own || isPublicAddress(address);
}

async function within<T>(work: Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('no answer')));
    }),
  ]);
}
