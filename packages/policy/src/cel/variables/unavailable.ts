/**
 * Names of the language whose facts this build cannot supply (IP intelligence, user-agent parsing, JA4, …). An
 * expression that needs one is refused: read as empty, it would let a rule pass in silence.
 */
import { NO_REQUEST } from '../scope.ts';
import type { StaticType } from '../value.ts';
import { ANY_PHASE, HTTP_PHASES, type Variable } from './variable.ts';

const missing = (phases: Variable['phases'], type: StaticType, names: readonly string[]): Variable[] =>
  names.map((name) => ({ name, type, phases, get: () => NO_REQUEST, unavailable: true }));

const PLACE = ['city', 'continent', 'country', 'country_code', 'is_eu', 'metro_code', 'subdivision', 'timezone'];
const LOCATION = [...PLACE, 'latitude', 'longitude', 'postal_code', 'radius'];

const intelligence = (side: string): string[] => [
  `conn.${side}.categories`,
  `conn.${side}.is_on_blocklist`,
  `conn.${side}.is_tor_node`,
  `conn.${side}.as.number`,
  `conn.${side}.as.organization`,
  ...LOCATION.map((name) => `conn.${side}.geo.location.${name}`),
  ...PLACE.map((name) => `conn.${side}.geo.registered_location.${name}`),
];

export const UNAVAILABLE_VARIABLES: readonly Variable[] = [
  ...missing(ANY_PHASE, 'dyn', [
    ...intelligence('client_ip'),
    ...intelligence('server_ip'),
    ...['city', 'country', 'country_code', 'latitude', 'longitude', 'radius', 'subdivision'].map(
      (name) => `conn.geo.${name}`,
    ),
    'conn.tls.ja4_fingerprint',
    'conn.tls.client.extensions',
    'conn.tls.server.extensions',
    'conn.ts.end',
  ]),
  ...missing(HTTP_PHASES, 'dyn', [
    ...['name', 'version', 'os', 'os_version', 'device', 'url', 'is_mobile', 'is_tablet', 'is_desktop', 'is_bot'].map(
      (name) => `req.user_agent.${name}`,
    ),
    'req.ts.body_received',
  ]),
];
