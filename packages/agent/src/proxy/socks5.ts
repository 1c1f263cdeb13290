import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AgentError } from '../agent-error.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { takeBytes } from './take-bytes.ts';

const VERSION = 5;
const NO_LOGIN = 0;
const PASSWORD = 2;
/** The longest answer: a name of 255 bytes as bound address. */
const MOST_BYTES = 262;
/** RFC 1928 §6. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'it failed',
  2: 'its rules do not allow it',
  3: 'the network cannot be reached',
  4: 'the host cannot be reached',
  5: 'the connection was refused',
  6: 'the time to live expired',
  7: 'it does not know the command',
  8: 'it does not know this kind of address',
};
const NOT_ALLOWED = 2;

/** Asks a SOCKS 5 proxy for a connection to `host:port` (RFC 1928, RFC 1929); names are resolved there. */
export async function socksConnect(stream: Duplex, proxy: ProxyAddress, host: string, port: number): Promise<void> {
  const hasLogin = proxy.user !== '' || proxy.password !== '';
  stream.write(Buffer.from(hasLogin ? [VERSION, 2, NO_LOGIN, PASSWORD] : [VERSION, 1, NO_LOGIN]));
  const [version, method] = await takeBytes(stream, () => 2, MOST_BYTES);
  if (version !== VERSION) throw new Error('it does not speak SOCKS 5');
  if (method === PASSWORD && hasLogin) await login(stream, proxy);
  else if (method !== NO_LOGIN) {
    const words = hasLogin ? 'does not take a user and password' : 'wants a user and password; write them into its URL';
    throw new AgentError(`it ${words}`, { fatal: true });
  }
  stream.write(Buffer.concat([Buffer.from([VERSION, 1, 0]), addressBytes(host), Buffer.from([port >> 8, port & 255])]));
  const [, reply = 1] = await takeBytes(stream, answerLength, MOST_BYTES);
  if (reply === 0) return;
  const words = `it cannot connect to ${host}:${port}: ${REASONS[reply] ?? `reason ${reply}`}`;
  throw new AgentError(words, { fatal: reply === NOT_ALLOWED });
}

async function login(stream: Duplex, { user, password }: ProxyAddress): Promise<void> {
  stream.write(Buffer.concat([Buffer.from([1]), counted(user), counted(password)]));
  const [, status] = await takeBytes(stream, () => 2, MOST_BYTES);
  if (status !== 0)
    throw new AgentError("it does not accept the user and password of the proxy's URL", { fatal: true });
}

function addressBytes(host: string): Buffer {
  if (net.isIPv4(host)) return Buffer.from([1, ...host.split('.').map(Number)]);
  if (!net.isIPv6(host)) return Buffer.concat([Buffer.from([3]), counted(host)]);
  return Buffer.concat([Buffer.from([4]), ipv6Bytes(host)]);
}

/** The URL parser writes an address out in groups of hexadecimal digits. */
function ipv6Bytes(host: string): Buffer {
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new AgentError('the name is too long for a SOCKS proxy', { fatal: true });
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function answerLength(got: Buffer): number | undefined {
  if (got.length < 5) return undefined;
  const [, , , kind, first = 0] = got;
  if (kind === 1) return 10;
  if (kind === 4) return 22;
  return kind === 3 ? 7 + first : 5;
}
