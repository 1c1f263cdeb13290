import { lookup } from 'node:dns/promises';
import net from 'node:net';
import tls from 'node:tls';
import { connectAgent, parseProxy } from '@postern/agent';
import type { ServerPlace } from '../find-server.ts';
import { codeOf, messageOf } from '../problem.ts';
import { VERSION } from '../version.ts';

export interface Finding {
  readonly section: string;
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail' | 'skipped';
  /** What was found, or what is wrong and what to do. */
  readonly words: string;
}

const DEADLINE_MS = 10_000;
/** So long a heartbeat may take before its time is no longer waited for. */
const LATENCY_MS = 3000;

/**
 * The way from here to each address of the server, step by step; behind a failure nothing can be told. Nobody but the
 * server, and a proxy on the way, is asked.
 * @param family 6 = over IPv6 alone
 * @param proxyFor which proxy leads to an address; what lies behind it is the proxy's to resolve and to reach
 */
export async function diagnose(
  place: ServerPlace,
  family: 0 | 6,
  proxyFor: (address: string) => string | undefined,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const address of place.addresses)
    findings.push(...(await diagnoseAddress(place, address, family, proxyFor(address))));
  return findings;
}

async function diagnoseAddress(
  place: ServerPlace,
  address: string,
  family: 0 | 6,
  proxy: string | undefined,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { hostname, port: given } = new URL(`https://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const port = given === '' ? 443 : Number(given);
  const protocol = ['Tunnel Protocol', () => authenticated(place, address, proxy)] as const;
  const steps: readonly (readonly [check: string, run: () => Promise<string>])[] =
    proxy === undefined
      ? [
          ['Name Resolution', () => resolved(host, family)],
          ['TCP', () => reached(host, port, family)],
          ['TLS', () => secured(host, port, place)],
          protocol,
        ]
      : [['Proxy', () => reachedProxy(proxy, family)], protocol];
  let broken = false;
  for (const [check, run] of steps) {
    if (broken) {
      findings.push({ section: address, check, result: 'skipped', words: '' });
      continue;
    }
    try {
      findings.push({ section: address, check, result: 'ok', words: await run() });
    } catch (error) {
      broken = true;
      const code = codeOf(error);
      findings.push({
        section: address,
        check,
        result: 'fail',
        words: `${messageOf(error)}${code.startsWith('ERR_NGROK') ? ` (${code})` : ''}`,
      });
    }
  }
  return findings;
}

async function resolved(host: string, family: 0 | 6): Promise<string> {
  const addresses = await lookup(host, { all: true, family });
  return addresses.map(({ address }) => address).join(', ');
}

function reached(host: string, port: number, family: 0 | 6): Promise<string> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, family, timeout: DEADLINE_MS });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} s`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve(`${socket.remoteAddress ?? host} in ${Math.round(performance.now() - started)} ms`);
      socket.destroy();
    });
  });
}

/** Whose certificate it is; that it verifies is for the protocol's own step, whose words say what to give. */
function secured(host: string, port: number, { serverName, ca }: ServerPlace): Promise<string> {
  const name = serverName ?? (net.isIP(host) === 0 ? host : undefined);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port,
      timeout: DEADLINE_MS,
      rejectUnauthorized: false,
      ...(name === undefined ? {} : { servername: name }),
      ...(ca === undefined ? {} : { ca }),
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} s`)));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      const until = certificate?.validTo ?? '';
      const issuer = certificate?.issuer.split('\n').join(', ') ?? 'nobody';
      resolve(`${socket.getProtocol() ?? ''}, certificate of ${issuer}, until ${until}`);
      socket.destroy();
    });
  });
}

/** Of a proxy only who it is and that it is there; whether it lets anybody through is for the protocol's step. */
async function reachedProxy(proxy: string, family: 0 | 6): Promise<string> {
  const { host, port } = parseProxy(proxy);
  return `${host}:${port}, ${await reached(host, port, family)}`;
}

async function authenticated(place: ServerPlace, address: string, proxy: string | undefined): Promise<string> {
  const beaten = Promise.withResolvers<number>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let account = '';
  let region = '';
  const session = connectAgent({
    serverAddr: address,
    ...(proxy === undefined ? {} : { proxy }),
    authtoken: place.authtoken,
    ...(place.serverName === undefined ? {} : { serverName: place.serverName }),
    ...(place.ca === undefined ? {} : { ca: place.ca }),
    userAgent: `postern/${VERSION}`,
    agentVersion: VERSION,
    onLatency: beaten.resolve,
    onStatus({ error, server }) {
      ({ accountName: account, region } = server ?? { accountName: account, region });
      if (error !== undefined) failed.reject(error);
    },
  });
  try {
    await Promise.race([session.online(), failed.promise]);
    const latency = await Promise.race([beaten.promise, after(LATENCY_MS)]);
    const of = account === '' ? '' : `account ${account}, `;
    return `${of}region ${region}${latency === undefined ? '' : `, latency ${Math.round(latency)} ms`}`;
  } finally {
    session.closed.catch(() => undefined);
    await session.close(0);
  }
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined).unref());
}
