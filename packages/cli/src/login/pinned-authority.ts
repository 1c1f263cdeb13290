import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 10_000;
/** Longer chains are nobody's. */
const MOST_CERTIFICATES = 10;

/**
 * The authority at the end of the server's chain, if its key has the fingerprint: whoever printed the fingerprint vouches
 * for it, and not the connection that brought it. Nothing else is believed of that connection, and nothing is sent.
 * @returns PEM
 * @throws UsageError
 */
export async function authorityWithPin(address: string, pin: string): Promise<string> {
  const chain = await chainOf(address);
  const found = chain.find((certificate) => isPinned(certificate, pin));
  if (found !== undefined) return found.toString();
  throw new UsageError(
    `${address} does not have the authority that the command names. If whoever runs the server has made a new one, ask ` +
      'for the new command; otherwise somebody else answers there.',
  );
}

function isPinned(certificate: X509Certificate, pin: string): boolean {
  if (!certificate.ca) return false;
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return timingSafeEqual(createHash('sha256').update(key).digest(), Buffer.from(pin, 'base64url'));
}

function chainOf(address: string): Promise<readonly X509Certificate[]> {
  const { hostname, port } = new URL(`https://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const refuse = (words: string): void => reject(new UsageError(`${address}: ${words}`));
    const socket = tls.connect({
      host,
      port: port === '' ? 443 : Number(port),
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      // Only the fingerprint counts here.
      rejectUnauthorized: false,
    });
    socket.setTimeout(DEADLINE_MS, () => {
      refuse(`no answer within ${DEADLINE_MS / 1000} s`);
      socket.destroy();
    });
    socket.once('error', (error) => refuse(messageOf(error)));
    socket.once('secureConnect', () => {
      const chain: X509Certificate[] = [];
      let at = socket.getPeerX509Certificate();
      while (at !== undefined && chain.length < MOST_CERTIFICATES) {
        chain.push(at);
        at = at.issuerCertificate;
      }
      socket.destroy();
      resolve(chain);
    });
  });
}
