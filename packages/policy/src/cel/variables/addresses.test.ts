import { describe, expect, it } from 'vitest';
import type { AddressFacts } from '../../services.ts';
import { bodyOf, run, show } from '../../testing/run.ts';

const KNOWN: AddressFacts = {
  location: {
    city: 'Lyon',
    country: 'France',
    countryCode: 'FR',
    continent: 'Europe',
    isEu: true,
    latitude: '45.75',
    radius: '20',
  },
  registered: { country: 'Germany', countryCode: 'DE', isEu: true },
  asNumber: 12_345,
  asOrganization: 'EXAMPLE AS',
  categories: ['proxy.anonymous.tor', 'com.github.hooks'],
};

const services = { addresses: { about: (ip: string) => (ip === '203.0.113.7' ? KNOWN : null) } };

async function shown(expression: string, facts: object = { services }): Promise<string> {
  return bodyOf((await run('on_http_request', [show(`\${${expression}}`)], facts)).outcome);
}

describe('what is known about addresses', () => {
  it.each([
    ['conn.geo.country_code', 'FR'],
    ['conn.geo.city + conn.geo.radius', 'Lyon20'],
    ['double(conn.geo.latitude) >= 45.0', 'true'],
    ['conn.client_ip.geo.location.is_eu', 'true'],
    ['conn.client_ip.geo.location.continent', 'Europe'],
    ['conn.client_ip.geo.location.timezone', ''],
    ['conn.client_ip.geo.registered_location.country_code', 'DE'],
    ['conn.client_ip.as.number == 12345', 'true'],
    ['conn.client_ip.as.organization.contains("EXAMPLE")', 'true'],
    [
      'conn.client_ip.categories',
      '["proxy.anonymous.tor","proxy.anonymous","proxy","com.github.hooks","com.github","com"]',
    ],
    ['"com.github" in conn.client_ip.categories', 'true'],
    ['conn.client_ip.is_tor_node', 'true'],
    ['conn.client_ip.is_on_blocklist', 'false'],
    ['conn.client_ip', '203.0.113.7'],
    // Of the other end nothing is known.
    ['conn.server_ip.geo.location.country_code', ''],
    ['size(conn.server_ip.categories)', '0'],
    ['conn.server_ip.as.number', '0'],
    ['conn.server_ip.is_on_blocklist', 'false'],
  ])('%s', async (expression, expected) => {
    expect(await shown(expression)).toBe(expected);
  });

  it('is unset, and the log says so, on a server without data', async () => {
    const rules = [{ expressions: ["conn.geo.country_code == 'FR'"], actions: [{ type: 'deny' }] }];
    const { outcome, context } = await run('on_http_request', rules);
    expect(outcome.kind).toBe('continue');
    expect(context.warnings).toEqual(['conn.geo.country_code is unset: this server has no data about addresses']);
    expect((await run('on_http_request', rules, { services })).outcome.kind).toBe('respond');
  });
});
