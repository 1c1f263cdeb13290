import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AgentError } from '../agent-error.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { takeBytes } from './take-bytes.ts';

const MOST_HEAD_BYTES = 16_384;
/** Answers that waiting does not change: whoever runs the agent, or the proxy, has to. */
const FATAL: ReadonlySet<number> = new Set([401, 403, 405, 407]);

/** Asks an HTTP proxy for a tunnel to `host:port` (RFC 9110 §9.3.6). @throws AgentError, Error */
export async function httpConnect(stream: Duplex, proxy: ProxyAddress, host: string, port: number): Promise<void> {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const login = Buffer.from(`${proxy.user}:${proxy.password}`).toString('base64');
  const hasLogin = proxy.user !== '' || proxy.password !== '';
  stream.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${hasLogin ? `Proxy-Authorization: Basic ${login}\r\n` : ''}\r\n`,
  );
  for (;;) {
    const head = (await takeBytes(stream, headLength, MOST_HEAD_BYTES)).toString('latin1');
    const [, digits = '', reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]{0,100}))?\r?\n/.exec(head) ?? [];
    const status = Number(digits);
    if (digits === '') throw new Error('it does not speak HTTP');
    if (status >= 200 && status < 300) return;
    // Only an interim answer is followed by another.
    if (status >= 200) throw new AgentError(refusal(status, reason, target, hasLogin), { fatal: FATAL.has(status) });
  }
}

function headLength(got: Buffer): number | undefined {
  const end = got.indexOf('\r\n\r\n');
  return end === -1 ? undefined : end + 4;
}

function refusal(status: number, reason: string, target: string, hasLogin: boolean): string {
  const said = `${status} ${reason}`.trim();
  if (status === 407) {
    return hasLogin
      ? `it does not accept the user and password of the proxy's URL (${said})`
      : `it wants a user and password (${said}); write them into its URL: http://user:password@host:port`;
  }
  if (status === 403 || status === 405) return `it does not allow connections to ${target} (${said})`;
  return `it cannot connect to ${target} (${said})`;
}
