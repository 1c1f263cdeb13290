/** Which challenge shows control of a name, and why that one; found out before anything is ordered. */
import { randomBytes, X509Certificate } from 'node:crypto';
import type { Challenge } from '@postern/link';
import { challengeIdentity } from '../client/csr.ts';
import type { AcmeParts, DnsWay, Subject } from '../types.ts';
import type { Board } from './board.ts';
import { Failure } from './failure.ts';
import { addressesOf, checkHttp, checkTls, type Verdict } from './self-check.ts';

export type Way = 'http-01' | 'tls-alpn-01' | 'dns-01';

export interface Choice {
  readonly way: Way;
  /** In words. */
  readonly why: string;
}

/** @throws Failure with the one thing to do next */
export async function chooseWay(parts: AcmeParts, board: Board, subject: Subject, name: string): Promise<Choice> {
  const { config, dns } = parts;
  const [base = ''] = config.baseDomains;
  const own = subject.domainId === '';
  if (dns !== null && (own || name.startsWith('*.'))) {
    await checkRecord(parts, dns, own, name);
    return { way: 'dns-01', why: `${own ? 'records of this domain' : 'wildcards need a record'}: ${dns.title}` };
  }
  if (name.startsWith('*.')) {
    throw new Failure(
      'DNS_ERROR',
      'A wildcard certificate needs records in DNS, which this server cannot set: ask its operator for --dns-listen, --dns-update-server or --dns-hook, or upload a certificate.',
    );
  }
  const addresses = await addressesOf(name, parts.resolve);
  if (typeof addresses === 'string') throw new Failure('DNS_ERROR', nextStep(name, base, own, addresses));
  const http = await askOverHttp(parts, board, name, addresses);
  if (http === null) return { way: 'http-01', why: 'the name leads here over HTTP' };
  const tls = await askOverTls(parts, board, name, addresses);
  if (tls === null) return { way: 'tls-alpn-01', why: `the name leads here over TLS, and not over HTTP (${http})` };
  // Behind some routers a server does not reach itself by its public address; its operator's own names are worth a try.
  if (own && !http.includes('is another server')) {
    return { way: 'http-01', why: `the name has an address, though it cannot be asked from here (${http})` };
  }
  throw new Failure('DNS_ERROR', nextStep(name, base, own, `${http}; ${tls}`));
}

/** @throws Failure when no record that is set would be seen */
async function checkRecord(parts: AcmeParts, dns: DnsWay, own: boolean, name: string): Promise<void> {
  const record = `_acme-challenge.${name.replace(/^\*\./, '')}`;
  if (!own) {
    const target = parts.challengeRecord(name);
    const found = await parts.records.cname(record).catch((): readonly string[] => []);
    if (found.some((one) => one.toLowerCase() === target)) return;
    throw new Failure('DNS_ERROR', `Create a CNAME record for ${record} that points to ${target}.`);
  }
  if (!dns.delegated) return;
  const value = randomBytes(16).toString('base64url');
  await dns.present(record, value);
  try {
    const found = await parts.records.txt(record).catch((): readonly string[] => []);
    if (found.includes(value)) return;
  } finally {
    await dns.cleanup(record, value);
  }
  throw new Failure(
    'DNS_ERROR',
    `Create an NS record for ${record} that points to this server, and let port 53 (UDP and TCP) lead to --dns-listen: what is asked for there does not come here.`,
  );
}

function nextStep(name: string, base: string, own: boolean, problem: string): string {
  const record = own
    ? `Create an A or AAAA record for ${name} with the address of this server`
    : `Create a CNAME record for ${name} that points to ${base} (at the top of a zone: A or AAAA records)`;
  return `${record}, and let ports 80 and 443 lead here; what is there now: ${problem}.`;
}

async function askOverHttp(
  parts: AcmeParts,
  board: Board,
  name: string,
  addresses: readonly string[],
): Promise<Verdict> {
  const token = randomBytes(16).toString('base64url');
  const answer = randomBytes(16).toString('base64url');
  const challenge: Challenge = { kind: 'http-01', name, token, answer };
  return presenting(board, challenge, () => checkHttp(checkingOf(parts), name, addresses, token, answer));
}

async function askOverTls(
  parts: AcmeParts,
  board: Board,
  name: string,
  addresses: readonly string[],
): Promise<Verdict> {
  const word = randomBytes(16).toString('base64url');
  const { cert, key } = await challengeIdentity(name, word, parts.now());
  const challenge: Challenge = { kind: 'tls-alpn-01', name, cert, key };
  const { raw } = new X509Certificate(cert);
  return presenting(board, challenge, () => checkTls(checkingOf(parts), name, addresses, raw));
}

async function presenting<T>(board: Board, challenge: Challenge, work: () => Promise<T>): Promise<T> {
  try {
    await board.add(challenge);
    return await work();
  } finally {
    await board.remove(challenge);
  }
}

function checkingOf({ config, resolve }: AcmeParts) {
  return { resolve, httpPort: config.httpPort, httpsPort: config.httpsPort };
}
