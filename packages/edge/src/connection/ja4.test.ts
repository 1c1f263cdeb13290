import { describe, expect, test } from 'vitest';
import { ja4Of, type HelloOffer } from './ja4.ts';

const list = (text: string): number[] => text.split(',').map((item) => Number.parseInt(item, 16));

/** The example of the published description: Chrome, here in another order and with GREASE. */
const CHROME: HelloOffer = {
  legacyVersion: 0x0303,
  versions: [0x4a4a, 0x0304, 0x0303],
  ciphers: list('8a8a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
  extensions: list('2a2a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,3a3a'),
  signatureAlgorithms: list('0403,0804,0401,0503,0805,0501,0806,0601'),
  named: true,
  protocol: 'h2',
};

describe('JA4', () => {
  test('is the published one for the published example', () => {
    expect(ja4Of(CHROME)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  test.each([
    [{ versions: [], legacyVersion: 0x0302, named: false, protocol: '' }, /^t11i151600_/],
    [{ protocol: 'http/1.1' }, /^t13d1516h1_/],
    [{ protocol: 'x' }, /^t13d1516xx_/],
    [{ protocol: '\u00ab\u00cd' }, /^t13d1516ad_/],
    [{ ciphers: [], extensions: [], signatureAlgorithms: [] }, /^t13d0000h2_000000000000_000000000000$/],
    [{ ciphers: Array.from({ length: 120 }, (_, at) => at) }, /^t13d9916h2_/],
  ])('%j', (change, expected) => {
    expect(ja4Of({ ...CHROME, ...change })).toMatch(expected);
  });
});
