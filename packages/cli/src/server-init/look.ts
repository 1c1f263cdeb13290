/** What a domain needs before a server can serve under it, found out from here; nobody but DNS and the domain itself is asked. */
import { isIPv6 } from 'node:net';
import type { Listening } from './probe.ts';

export interface Lookup {
  /** Addresses of both families; [] = it has none. */
  addresses(name: string): Promise<readonly string[]>;
  nameServers(name: string): Promise<readonly string[]>;
}

export interface InitParts {
  /** Lower case. */
  readonly domain: string;
  /** Of this machine, as others reach it; [] = not known. */
  readonly own: readonly string[];
  readonly lookup: Lookup;
  /** Listens on the ports that visitors come to, or says why not. */
  readonly listen: () => Promise<readonly Listening[]>;
  /** A label that nobody has a record for. */
  readonly label: string;
}

export type Result = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly check: string;
  readonly result: Result;
  readonly words: string;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'NS';
  readonly value: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  /** To be created; those that are right are not among them. */
  readonly records: readonly DnsRecord[];
  /** `_acme-challenge` leads to the domain, so that this server may answer for it. */
  readonly delegated: boolean;
}

/** Stands for what is not known. */
const ADDRESS = '<address of this machine>';

export async function lookAt({ domain, own, lookup, listen, label }: InitParts): Promise<Outcome> {
  const findings: Finding[] = [];
  const records: DnsRecord[] = [];
  const known = own.length === 0 ? [ADDRESS] : own;
  const names = [
    { shown: domain, asked: domain },
    { shown: `*.${domain}`, asked: `${label}.${domain}` },
  ];
  const found = await Promise.all(names.map(({ asked }) => lookup.addresses(asked)));
  const base = found[0] ?? [];
  for (const [index, { shown }] of names.entries()) {
    const addresses = found[index] ?? [];
    findings.push(recordFinding(shown, addresses, own));
    // Where others are known to stand, they are the operator's choice: another machine, a load balancer.
    if (addresses.length > 0) continue;
    const values = shown === domain || base.length === 0 ? known : base;
    for (const value of values) records.push({ name: shown, type: isIPv6(value) ? 'AAAA' : 'A', value });
  }
  const delegated = (await lookup.nameServers(`_acme-challenge.${domain}`)).some((name) => name === domain);
  findings.push({
    check: `_acme-challenge.${domain}`,
    result: delegated ? 'ok' : 'warn',
    words: delegated
      ? 'an NS record leads to this server: --dns-listen gets a wildcard certificate'
      : 'no NS record leads here: names below the domain need one for a wildcard certificate (or --dns-update-server, --dns-hook)',
  });
  if (!delegated) records.push({ name: `_acme-challenge.${domain}`, type: 'NS', value: `${domain}.` });
  findings.push(...(await ports(domain, base, listen)));
  return { findings, records, delegated };
}

function recordFinding(name: string, addresses: readonly string[], own: readonly string[]): Finding {
  const check = `${name} (A, AAAA)`;
  if (addresses.length === 0) return { check, result: 'fail', words: 'there is no record' };
  const words = addresses.join(', ');
  const strange = addresses.filter((address) => !own.includes(address));
  if (strange.length === 0) return { check, result: 'ok', words };
  return {
    check,
    result: 'warn',
    words: `${words}: ${strange.join(', ')} is no address that this machine knows as its own, as behind a router or load balancer`,
  };
}

/** Every address is asked on every port for a word that only this process knows. */
async function ports(
  domain: string,
  addresses: readonly string[],
  listen: InitParts['listen'],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const all = await listen();
  try {
    for (const one of all) {
      const check = `port ${one.port}`;
      if (one.problem !== null) {
        findings.push({ check, result: 'warn', words: one.problem });
        continue;
      }
      if (addresses.length === 0) {
        findings.push({ check, result: 'warn', words: `it is free here; ${domain} leads nowhere yet` });
        continue;
      }
      for (const address of addresses) {
        // oxlint-disable-next-line no-await-in-loop -- each has a deadline of its own
        findings.push({ check, ...(await one.reach(address)) });
      }
    }
  } finally {
    for (const one of all) one.close();
  }
  return findings;
}
