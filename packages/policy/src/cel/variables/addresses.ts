/**
 * What is known about the addresses at both ends (traffic-policy.md §6): place, network, lists. It comes from data that
 * whoever runs the server has named; without such data everything reads as unset, and a warning says so, because a rule
 * that denies by place lets everybody through then.
 */
import type { Scope } from '../scope.ts';
import type { AddressFacts, Place } from '../../services.ts';
import { listOfStrings, type Result, type StaticType, type Value } from '../value.ts';
import { spend } from '../work.ts';
import { TOO_MANY_STEPS } from '../limits.ts';
import { ANY_PHASE, insideOf, type Variable } from './variable.ts';

type Side = 'client_ip' | 'server_ip';

/** Looking an address up in data of this size. */
const LOOKUP = 500;

function factsOf(scope: Scope, side: Side, name: string): AddressFacts | null {
  const { services, conn } = scope.context;
  if (services.addresses === null) {
    scope.context.warn(`${name} is unset: this server has no data about addresses`);
    return null;
  }
  return services.addresses.about(side === 'client_ip' ? conn.clientIp : conn.serverIp);
}

function variable(
  name: string,
  side: Side,
  type: StaticType,
  none: Value,
  read: (facts: AddressFacts) => Value | undefined,
): Variable {
  return {
    name,
    type,
    phases: ANY_PHASE,
    ...insideOf(type),
    get(scope): Result {
      if (!spend(scope, LOOKUP)) return TOO_MANY_STEPS;
      const facts = factsOf(scope, side, name);
      return facts === null ? none : (read(facts) ?? none);
    },
  };
}

const REGISTERED: readonly (readonly [string, (place: Place) => string | undefined])[] = [
  ['city', (place) => place.city],
  ['continent', (place) => place.continent],
  ['country', (place) => place.country],
  ['country_code', (place) => place.countryCode],
  ['metro_code', (place) => place.metroCode],
  ['subdivision', (place) => place.subdivision],
  ['timezone', (place) => place.timezone],
];

const LOCATION: typeof REGISTERED = [
  ...REGISTERED,
  ['latitude', (place) => place.latitude],
  ['longitude', (place) => place.longitude],
  ['postal_code', (place) => place.postalCode],
  ['radius', (place) => place.radius],
];

/** The older spelling of the visitor's place. */
const OLDER: ReadonlySet<string> = new Set(
  'city country country_code latitude longitude radius subdivision'.split(' '),
);

function about(side: Side): Variable[] {
  const at = `conn.${side}`;
  const text = (name: string, read: (facts: AddressFacts) => string | undefined): Variable =>
    variable(name, side, 'string', '', read);
  return [
    variable(`${at}.categories`, side, 'list', listOfStrings([]), (facts) =>
      listOfStrings(withParents(facts.categories)),
    ),
    variable(`${at}.is_on_blocklist`, side, 'bool', false, (facts) =>
      facts.categories.some((name) => within(name, 'blocklist')),
    ),
    variable(`${at}.is_tor_node`, side, 'bool', false, (facts) =>
      facts.categories.some((name) => within(name, 'proxy.anonymous.tor')),
    ),
    variable(`${at}.as.number`, side, 'int', 0n, (facts) => BigInt(facts.asNumber)),
    text(`${at}.as.organization`, (facts) => facts.asOrganization),
    variable(`${at}.geo.location.is_eu`, side, 'bool', false, (facts) => facts.location.isEu),
    variable(`${at}.geo.registered_location.is_eu`, side, 'bool', false, (facts) => facts.registered.isEu),
    ...LOCATION.map(([name, read]) => text(`${at}.geo.location.${name}`, (facts) => read(facts.location))),
    ...REGISTERED.map(([name, read]) =>
      text(`${at}.geo.registered_location.${name}`, (facts) => read(facts.registered)),
    ),
    ...(side === 'server_ip'
      ? []
      : LOCATION.filter(([name]) => OLDER.has(name)).map(([name, read]) =>
          text(`conn.geo.${name}`, (facts) => read(facts.location)),
        )),
  ];
}

function within(category: string, group: string): boolean {
  return category.startsWith(group) && (category.length === group.length || category[group.length] === '.');
}

/** Whoever is in a category is in those that it belongs to: `com.github.hooks` is `com.github` and `com` as well. */
function withParents(categories: readonly string[]): string[] {
  const all = new Set<string>();
  for (const category of categories) {
    for (let end = category.length; end !== -1; end = category.lastIndexOf('.', end - 1))
      all.add(category.slice(0, end));
  }
  return [...all];
}

export const ADDRESS_VARIABLES: readonly Variable[] = [...about('client_ip'), ...about('server_ip')];
