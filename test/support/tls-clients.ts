/** What TLS clients make of a certificate: our runtime's, and curl and OpenSSL as they are on the machine. */
import { execFile } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { requireJudge } from './judge.ts';
import { PATIENCE_MS } from './until.ts';

export interface Shaken {
  /** Verified against the authority that was given, name included. */
  readonly verified: boolean;
  /** Everything that the client printed. */
  readonly text: string;
}

/**
 * The certificate that a client for this name is shown; null = none that it takes.
 * @param ca PEM of the one authority that it trusts; null = it trusts everybody
 */
export function shownAt(port: number, servername: string, ca: string | null): Promise<X509Certificate | null> {
  const trust = ca === null ? { rejectUnauthorized: false } : { ca };
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername, ...trust }, () => {
      resolve(socket.getPeerX509Certificate() ?? null);
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
  });
}

/** Whether a program is there; where it is not, that is said. */
export async function hasProgram(program: string, ...args: readonly string[]): Promise<boolean> {
  const { code, text } = await run(program, args);
  if (code !== 'ENOENT') return true;
  requireJudge(program, text);
  return false;
}

/** A handshake of `openssl s_client`. @param ca file. @param more flags, e.g. which signatures it takes */
export async function openssl(port: number, name: string, ca: string, ...more: readonly string[]): Promise<Shaken> {
  const { text } = await run('openssl', [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-servername',
    name,
    '-verify_hostname',
    name,
    '-CAfile',
    ca,
    ...more,
  ]);
  return { verified: /^\s*Verify return code: 0 \(ok\)$/m.test(text), text };
}

/** A request of curl. @param ca file */
export async function curl(port: number, name: string, ca: string, ...more: readonly string[]): Promise<Shaken> {
  const { code, text } = await run('curl', [
    '-sv',
    '--max-time',
    '20',
    '--cacert',
    ca,
    '--resolve',
    `${name}:${port}:127.0.0.1`,
    ...more,
    `https://${name}:${port}/`,
  ]);
  return { verified: code === 0, text };
}

/** `code` 0 = well. */
function run(program: string, args: readonly string[]): Promise<{ readonly code: unknown; readonly text: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: PATIENCE_MS }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : error.code, text: `${out}${errors}` }),
    );
    child.stdin?.end();
  });
}
