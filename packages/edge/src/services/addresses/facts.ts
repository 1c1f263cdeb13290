/**
 * What a record of a MaxMind-format database says, in our words. Two families are read: nested records with names in
 * several languages (GeoIP2 and GeoLite2), and flat ones (`country_code`, `state1`), which free data has.
 */
import type { Place } from '@postern/policy';

type Fields = Readonly<Record<string, unknown>>;

/** Members of the European Union, for data that does not say it (ISO 3166-1). */
const EU: ReadonlySet<string> = new Set(
  'AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);
const COUNTRIES = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

export interface Located {
  readonly location: Place;
  readonly registered: Place;
}

export interface Network {
  readonly asNumber: number;
  readonly asOrganization: string;
}

export function placesIn(record: unknown): Located {
  const fields = fieldsOf(record);
  const country = fieldsOf(fields['country']);
  const at = fieldsOf(fields['location']);
  const [region] = listOf(fields['subdivisions']);
  const code = textOf(country['iso_code']) ?? textOf(fields['country_code']);
  const location = {
    city: nameOf(fields['city']),
    continent: nameOf(fields['continent']),
    ...countryOf(code, nameOf(country), country['is_in_european_union']),
    latitude: numberText(at['latitude'] ?? fields['latitude']),
    longitude: numberText(at['longitude'] ?? fields['longitude']),
    metroCode: numberText(at['metro_code']),
    postalCode: textOf(fieldsOf(fields['postal'])['code']) ?? textOf(fields['postcode']),
    radius: numberText(at['accuracy_radius']),
    subdivision: nameOf(region) ?? textOf(fields['state1']),
    timezone: textOf(at['time_zone']) ?? textOf(fields['timezone']),
  };
  const home = fieldsOf(fields['registered_country']);
  const registered = countryOf(textOf(home['iso_code']), nameOf(home), home['is_in_european_union']);
  return { location: knownOf(location), registered: knownOf(registered) };
}

/** null = the record is not about networks. */
export function networkIn(record: unknown): Network | null {
  const fields = fieldsOf(record);
  const number = fields['autonomous_system_number'];
  if (typeof number !== 'number') return null;
  return { asNumber: number, asOrganization: textOf(fields['autonomous_system_organization']) ?? '' };
}

function countryOf(code: string | undefined, name: string | undefined, eu: unknown) {
  const known = code !== undefined && /^[A-Z]{2}$/.test(code);
  return {
    country: name ?? (known ? COUNTRIES.of(code) : undefined),
    countryCode: code,
    isEu: typeof eu === 'boolean' ? eu : known ? EU.has(code) : undefined,
  };
}

function knownOf(place: Readonly<Record<keyof Place, unknown>> | Partial<Record<keyof Place, unknown>>): Place {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is unset is left out, the rest is typed above
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined)) as Place;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : textOf(value);
}

/** English, as expressions compare it; or the value itself in flat records. */
function nameOf(value: unknown): string | undefined {
  return textOf(value) ?? textOf(fieldsOf(fieldsOf(value)['names'])['en']);
}
