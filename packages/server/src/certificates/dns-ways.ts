/** How records are set for certificates, and how others' are looked up: as the operator said. */
import { readFileSync } from 'node:fs';
import { Resolver, lookup } from 'node:dns/promises';
import type { AcmeParts, DnsAddress, DnsWay } from '@postern/acme';
import type { AcmeSettings, DnsSettings } from '../config/acme-settings.ts';
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../problem.ts';

export interface OpenDns {
  /** null = no record can be set. */
  readonly way: DnsWay | null;
  stop(): void;
}

const DNS_PORT = 53;
const MOST_NAME_SERVERS = 8;

/** @throws ConfigError */
export async function openDns(
  { dns, resolver }: AcmeSettings,
  baseDomains: readonly string[],
  now: () => number,
): Promise<OpenDns> {
  const nothing = (): void => {};
  if (dns === null) return { way: null, stop: nothing };
  const { DnsAnswerer, hookWay, updateWay } = await import('@postern/acme');
  if (dns.kind === 'hook') return { way: hookWay(dns.program), stop: nothing };
  if (dns.kind === 'update') {
    const { server, zone, key } = dns;
    const { name, algorithm } = key;
    const way = updateWay({
      server,
      zone,
      now,
      key: { name, algorithm, secret: secretOf(dns) },
      nameServers: (of) => nameServers(resolverOf(resolver), of),
    });
    return { way, stop: nothing };
  }
  const answerer = new DnsAnswerer(
    baseDomains.map((base) => `_acme-challenge.${base}`),
    now,
  );
  try {
    await answerer.listen(dns.addresses);
  } catch (error) {
    answerer.close();
    throw new ConfigError('--dns-listen', '', messageOf(error));
  }
  return { way: answerer, stop: () => answerer.close() };
}

/** No message shows what is in the file. */
function secretOf({ key: { file } }: DnsSettings & { readonly kind: 'update' }): Buffer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError('--dns-update-key', file, `the file cannot be read (${messageOf(error)})`);
  }
  const secret = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || secret.length < 16)
    throw new ConfigError(
      '--dns-update-key',
      file,
      'the file must hold the secret alone, in base64, of at least 16 bytes',
    );
  return secret;
}

/** Whom others ask about a zone; an address of each. */
async function nameServers(resolver: Resolver, zone: string): Promise<readonly DnsAddress[]> {
  const names = (await resolver.resolveNs(zone)).slice(0, MOST_NAME_SERVERS);
  const found = await Promise.allSettled(names.map((name) => resolver.resolve4(name)));
  return found.flatMap((one) =>
    one.status === 'fulfilled' ? one.value.slice(0, 1).map((host) => ({ host, port: DNS_PORT })) : [],
  );
}

function resolverOf(server: string): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  if (server !== '') resolver.setServers([server]);
  return resolver;
}

export function lookups(server: string): Pick<AcmeParts, 'resolve' | 'records'> {
  const resolver = resolverOf(server);
  const records = {
    cname: (name: string) => resolver.resolveCname(name),
    txt: async (name: string) => (await resolver.resolveTxt(name)).map((parts) => parts.join('')),
  };
  // The system's way knows its files as well.
  if (server === '') {
    return { records, resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address) };
  }
  return {
    records,
    async resolve(name) {
      const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    },
  };
}
