import { expect, test } from 'vitest';
import { mmdb } from '../../testing/mmdb.ts';
import { AddressData } from './data.ts';

const text = (name: string, content: string) => ({ name, bytes: Buffer.from(content) });

const CITY = mmdb('GeoLite2-City', {
  '203.0.113.0/24': {
    city: { names: { de: 'Köln', en: 'Cologne' } },
    continent: { code: 'EU', names: { en: 'Europe' } },
    country: { iso_code: 'DE', is_in_european_union: true, names: { en: 'Germany' } },
    location: { accuracy_radius: 20, latitude: 50.9333, longitude: -6.95, metro_code: 501, time_zone: 'Europe/Berlin' },
    postal: { code: '50667' },
    registered_country: { iso_code: 'US', names: { en: 'United States' } },
    subdivisions: [{ iso_code: 'NW', names: { en: 'North Rhine-Westphalia' } }, { names: { en: 'another' } }],
  },
  '2001:db8::/32': { country: { iso_code: 'FR' } },
});
const ASN = mmdb('GeoLite2-ASN', {
  '203.0.113.0/25': { autonomous_system_number: 64_500, autonomous_system_organization: 'Example Net' },
});

test('places, networks and categories come from the files that have them', () => {
  const data = new AddressData([
    { name: 'city.mmdb', bytes: CITY },
    { name: 'asn.mmdb', bytes: ASN },
    text('lists', '203.0.113.0/24 com.example.hooks # web hooks\n\n203.0.113.7 proxy.anonymous.tor\n'),
  ]);
  expect(data.about('203.0.113.7')).toEqual({
    location: {
      city: 'Cologne',
      continent: 'Europe',
      country: 'Germany',
      countryCode: 'DE',
      isEu: true,
      latitude: '50.9333',
      longitude: '-6.95',
      metroCode: '501',
      postalCode: '50667',
      radius: '20',
      subdivision: 'North Rhine-Westphalia',
      timezone: 'Europe/Berlin',
    },
    registered: { country: 'United States', countryCode: 'US', isEu: false },
    asNumber: 64_500,
    asOrganization: 'Example Net',
    categories: ['com.example.hooks', 'proxy.anonymous.tor'],
  });
  expect(data.about('203.0.113.200')).toMatchObject({ asNumber: 0, categories: ['com.example.hooks'] });
  // Names that data does not have are those of its codes.
  expect(data.about('2001:db8::1').location).toEqual({ countryCode: 'FR', country: 'France', isEu: true });
  expect(data.about('192.0.2.1')).toEqual({
    location: {},
    registered: {},
    asNumber: 0,
    asOrganization: '',
    categories: [],
  });
});

test('flat records of free data are read as well', () => {
  const flat = mmdb('country', { '192.0.2.0/24': { country_code: 'NZ' } });
  const city = mmdb('city', { '192.0.2.0/24': { city: 'Nelson', state1: 'Tasman', latitude: -41.27, timezone: 'NZ' } });
  const data = new AddressData([
    { name: 'a', bytes: flat },
    { name: 'b', bytes: city },
  ]);
  expect(data.about('192.0.2.9').location).toEqual({
    country: 'New Zealand',
    countryCode: 'NZ',
    isEu: false,
    city: 'Nelson',
    subdivision: 'Tasman',
    latitude: '-41.27',
    timezone: 'NZ',
  });
});

test('categories hold in every range that has the address, whatever its length', () => {
  const data = new AddressData([
    text('a', '0.0.0.0/0 everybody\n198.51.100.0/22 a.b\n198.51.100.5/32 c\n::/0 six\n2001:db8:1::/48 d, e\n'),
    text('b', '198.51.100.4/30 blocklist.example\n2001:db8:1::9 f'),
  ]);
  expect(data.about('198.51.100.5').categories.toSorted()).toEqual(['a.b', 'blocklist.example', 'c', 'everybody']);
  expect(data.about('198.51.104.5').categories).toEqual(['everybody']);
  expect(data.about('2001:db8:1::9').categories.toSorted()).toEqual(['d', 'e', 'f', 'six']);
  expect(data.about('2001:db8:2::9').categories).toEqual(['six']);
});

test('what cannot be understood is refused, with file and line', () => {
  const refusal = (content: string | Buffer): string => {
    try {
      new AddressData([{ name: 'file', bytes: Buffer.from(content) }]).about('192.0.2.1');
      return 'understood';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  expect(refusal('# only words\n\n192.0.2.300 a')).toBe('file: line 3: "192.0.2.300" is no address and no range');
  expect(refusal('192.0.2.1')).toMatch(/^file: line 1: behind the range comes a category/);
  expect(refusal('192.0.2.1 Not/One')).toMatch(/^file: line 1: behind the range comes a category/);
  const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  expect(refusal(Buffer.concat([CITY.subarray(0, 40), mark]))).toMatch(/^file: /);
});

test('a database that is broken inside has nothing to say, and breaks nobody', () => {
  const broken = Buffer.from(CITY);
  const data = broken.indexOf('Cologne');
  broken.fill(0xff, data - 40, data + 200);
  expect(new AddressData([{ name: 'a', bytes: broken }]).about('203.0.113.7').location.city).toBeUndefined();
});

test('addresses that are looked up are kept in a bounded number', () => {
  const data = new AddressData([text('a', '10.0.0.0/8 inside')]);
  const [first] = [data.about('10.0.0.1')];
  expect(data.about('10.0.0.1')).toBe(first);
  for (let at = 0; at < 5_000; at++) data.about(`10.1.${at >> 8}.${at & 255}`);
  const again = data.about('10.0.0.1');
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
