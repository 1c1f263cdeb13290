/** `postern server init DOMAIN`: what is missing before a server can serve under the domain, and the command to run then. */
import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import process from 'node:process';
import { isPublicAddress } from '@postern/policy';
import { UsageError } from '../usage-error.ts';
import { type DnsRecord, lookAt, type Lookup, type Outcome } from './look.ts';
import { holdPort } from './probe.ts';

export interface InitFlags {
  /** Of this machine, as others reach it; [] = those of its interfaces that are public. */
  readonly address: readonly string[];
  /** host:port of a DNS server; '' = the system's. */
  readonly resolver: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly email: string;
  readonly json: boolean;
}

const NAME = /^(?=.{1,190}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){1,10}$/;
const SIGNS = { ok: '[ OK ]', warn: '[ WARN ]', fail: '[ FAIL ]' } as const;

/** Exit code 1 when something is missing. @throws UsageError */
export async function initServer(text: string, flags: InitFlags): Promise<void> {
  const domain = text.toLowerCase().replace(/\.$/, '');
  if (!NAME.test(domain)) throw new UsageError(`${text} is no domain; it is written tun.example.com.`);
  const wrong = flags.address.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new UsageError(`--address ${wrong}: it is an IP address.`);
  const outcome = await lookAt({
    domain,
    own: flags.address.length > 0 ? flags.address : publicAddresses(),
    lookup: lookupOf(flags.resolver),
    listen: () => Promise.all([flags.httpPort, flags.httpsPort].map((port) => holdPort(port))),
    label: `postern-${randomBytes(6).toString('hex')}`,
  });
  const command = commandOf(domain, outcome, flags.email);
  const failed = outcome.findings.some(({ result }) => result === 'fail');
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ domain, ok: !failed, ...outcome, command }, null, 2)}\n`
      : wordsOf(outcome, command),
  );
  if (failed) process.exitCode = 1;
}

function wordsOf({ findings, records }: Outcome, command: string): string {
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2;
  const lines = findings.map(({ check, result, words }) => `${check.padEnd(width)}${SIGNS[result].padEnd(9)} ${words}`);
  const create = records.length === 0 ? [] : ['', 'Create these records:', '', ...records.map(lineOf)];
  return `${[...lines, ...create, '', 'Then run:', '', command].join('\n')}\n`;
}

function lineOf({ name, type, value }: DnsRecord): string {
  return `  ${name}.  ${type}  ${value}`;
}

function commandOf(domain: string, { delegated, records }: Outcome, email: string): string {
  const flags = [
    `--base-domain ${domain}`,
    '--http-listen 0.0.0.0:80 --https-listen 0.0.0.0:443 --agent-listen 0.0.0.0:4443',
    `--acme-email ${email === '' ? 'YOU@EXAMPLE.COM' : email} --acme-agree-terms`,
    // The NS record is among those to be created, or there.
    ...(delegated || records.some(({ type }) => type === 'NS') ? ['--dns-listen 0.0.0.0:53'] : []),
  ];
  return `  postern server ${flags.join(' \\\n    ')}`;
}

function publicAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => isPublicAddress(address));
}

function lookupOf(server: string): Lookup {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  try {
    if (server !== '') resolver.setServers([server]);
  } catch {
    throw new UsageError(`--resolver ${server}: it is the address of a DNS server, as 192.0.2.53:53.`);
  }
  return {
    async addresses(name) {
      const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    },
    nameServers: async (name) =>
      (await resolver.resolveNs(name).catch((): string[] => [])).map((one) => one.toLowerCase()),
  };
}
