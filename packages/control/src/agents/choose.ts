import { fail } from '@postern/errors';
import { NAMED_SCHEMES, type Scheme } from '@postern/link';
import { addressKey } from '@postern/registry';
import type { ReservedAddrRow } from '@postern/store';
import { allowsAddress } from '../rules/acl.ts';
import {
  firstOf,
  type Found,
  fromAnywhere,
  namesOf,
  type Standing,
  standingOfName,
  standingOfPort,
} from '../rules/choosing.ts';
import { addressOf, defaultPort, visitorView, type Address } from '../addresses/urls.ts';
import { holdersAt } from '../claims.ts';
import type { Core } from '../core.ts';
import { agentReservationError, findFooting, isProblem, type Footing } from '../reservations.ts';
import { randomHex } from './sessions.ts';

const NAME_BYTES = 6;
const NAME_ATTEMPTS = 16;
/** Most of them are free as a rule, so few have to be looked at. */
const PORTS_AT_ONCE = 16;

/** 308 and 316: what the credential of the session may not bind. */
export function checkAcl(core: Core, acl: readonly string[], address: Address): void {
  if (allowsAddress(acl, address.host, visitorView(address, core.config).port)) return;
  const rules = acl.join(', ');
  if (address.scheme === 'tcp') throw fail(308, { addr: `${address.host}:${address.port}`, acl: rules });
  throw fail(316, { what: address.host, acl: rules });
}

/** A free address that the ACL allows: a generated name under a base domain, or a TCP port. @throws 316, 356, 503 */
export async function chooseAddress(
  core: Core,
  accountId: string,
  scheme: Scheme,
  acl: readonly string[],
  avoidPorts: ReadonlySet<number>,
): Promise<Address> {
  return scheme === 'tcp' ? freePort(core, accountId, acl, avoidPorts) : freeName(core, accountId, scheme, acl);
}

async function freeName(core: Core, accountId: string, scheme: Scheme, acl: readonly string[]): Promise<Address> {
  const placed = (host: string): Address => addressOf(scheme, 'public', host, defaultPort(scheme));
  const allows = (host: string): boolean => allowsAddress(acl, host, visitorView(placed(host), core.config).port);
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt += 1) {
    const names = namesOf(randomHex(core, NAME_BYTES), core.config.baseDomains, allows);
    const held = new Set<string>();
    for (const host of names) if ((await holdersAt(core, accountId, placed(host))).length > 0) held.add(host);
    const { free } = firstOf(names, (host) =>
      standingOfName({ reserved: isReserved(core, host), held: held.has(host) }),
    );
    if (free !== null) return placed(free);
  }
  throw fail(316, { what: 'a generated name; ask for one that it allows', acl: acl.join(', ') });
}

/** Whether nobody holds a chosen address, and nobody else has reserved it. */
export async function isFree(core: Core, accountId: string, address: Address): Promise<boolean> {
  const { scheme, host, port } = address;
  const held = (await holdersAt(core, accountId, address)).length > 0;
  const standing =
    scheme === 'tcp'
      ? standingOfPort({ reservations: reservationsOfPort(core, port), held, leftLately: false }, accountId)
      : standingOfName({ reserved: isReserved(core, host), held });
  return standing !== 'taken';
}

function isReserved({ catalog }: Core, host: string): boolean {
  return catalog.domains.at(host).length > 0;
}

function reservationsOfPort({ catalog }: Core, port: number): readonly ReservedAddrRow[] {
  return catalog.addrs.at(`port:${port}`);
}

async function freePort(
  core: Core,
  accountId: string,
  acl: readonly string[],
  avoid: ReadonlySet<number>,
): Promise<Address> {
  const { tcpHost, tcpPortRange } = core.config;
  const { first, last } = tcpPortRange;
  const allowed = Array.from({ length: last - first + 1 }, (_, step) => first + step).filter((port) =>
    allowsAddress(acl, tcpHost, port),
  );
  if (allowed.length === 0) throw fail(356, { acl: acl.join(', ') });
  const port = await pickPort(core, accountId, allowed, avoid);
  if (port === null) throw fail(503, { range: `${first}-${last}` });
  return addressOf('tcp', 'public', tcpHost, port);
}

/** One of the ports that nobody holds and nobody has reserved, by the rules of `rules/choosing.ts`; null = none. */
export async function pickPort(
  core: Core,
  accountId: string,
  ports: readonly number[],
  avoid: ReadonlySet<number> = new Set(),
): Promise<number | null> {
  const dice = Buffer.from(core.randomBytes(4)).readUInt32BE();
  const order = fromAnywhere(
    ports.filter((port) => !avoid.has(port)),
    dice,
  );
  let awaited: number | null = null;
  for (let from = 0; from < order.length; from += PORTS_AT_ONCE) {
    const looked = order.slice(from, from + PORTS_AT_ONCE);
    const standing = await standingsOf(core, accountId, looked);
    const found: Found<number> = firstOf(looked, (port) => standing.get(port) ?? 'taken', awaited);
    if (found.free !== null) return found.free;
    ({ awaited } = found);
  }
  return awaited;
}

async function standingsOf(core: Core, accountId: string, ports: readonly number[]): Promise<Map<number, Standing>> {
  const { catalog, recentlyLeft, registry } = core;
  const keys = ports.map((port) => addressKey({ scheme: 'tcp', host: '', port, binding: 'public', accountId }));
  const online = await registry.snapshot(keys);
  return new Map(
    ports.map((port, index) => {
      const key = keys[index] ?? '';
      const held = [catalog.edges.at(key), catalog.endpoints.at(key), online.get(key) ?? []].some(
        (at) => at.length > 0,
      );
      const there = {
        reservations: reservationsOfPort(core, port),
        held,
        leftLately: recentlyLeft.ownerOf(key) !== null,
      };
      return [port, standingOfPort(there, accountId)];
    }),
  );
}

/**
 * The reservation under a named address. A generated name that comes back with its resume token needs none, and gets
 * none made, but another account's reservation stands in its way. Nor does a name that the account has online on
 * another scheme: agents ask for it by the name that they were given for the first. @throws 307, 318–321
 */
export async function footingFor(core: Core, accountId: string, address: Address, named: boolean): Promise<Footing> {
  const footing = findFooting(core, accountId, address);
  if (isProblem(footing)) {
    if (footing.kind === 'taken') throw agentReservationError(address, footing);
    if (!named || (await isOnlineUnreserved(core, accountId, address))) return NO_FOOTING;
    throw agentReservationError(address, footing);
  }
  if (footing.writes.length === 0) return footing;
  return named && !(await isOnlineUnreserved(core, accountId, address)) ? footing : NO_FOOTING;
}

const NO_FOOTING: Footing = { domainId: '', tcpAddrId: '', writes: [] };

/** Whether the account serves the host of this public address on another scheme, without a reservation. */
async function isOnlineUnreserved(core: Core, accountId: string, { scheme, host, binding }: Address): Promise<boolean> {
  if (scheme === 'tcp' || binding !== 'public') return false;
  for (const other of NAMED_SCHEMES) {
    if (other === scheme) continue;
    const key = addressKey({ scheme: other, host, port: defaultPort(other), binding, accountId });
    const holders = await core.registry.holdersOf(key);
    if (holders.some((tunnel) => tunnel.accountId === accountId && tunnel.endpoint?.domainId === '')) return true;
  }
  return false;
}
