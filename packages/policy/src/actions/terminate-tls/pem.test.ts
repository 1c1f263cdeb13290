import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../testing/certificate.ts';
import { belongTogether, MAX_CERTIFICATES, privateKeyProblem, readCertificates } from './pem.ts';
import { MAX_PEM } from './schema.ts';

const one = selfSigned('one.example.com');
const other = selfSigned('other.example.com');
const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const names = (pem: string): unknown => {
  const read = readCertificates(pem);
  return typeof read === 'string' ? read : read.map(({ subject }) => subject.split('CN=')[1]);
};
/** Microseconds. */
const cost = (text: string): number => {
  const began = process.hrtime.bigint();
  readCertificates(text);
  return Number(process.hrtime.bigint() - began) / 1000;
};

describe('PEM texts of tenants', () => {
  it('are read in order, whatever stands between', () => {
    expect(names(one.cert)).toEqual(['one.example.com']);
    expect(names(`# roots\n${one.cert}\nsubject=CN\n${other.cert.replaceAll('\n', '\r\n')}${END}`)).toEqual([
      'one.example.com',
      'other.example.com',
    ]);
  });

  it.each([
    ['', 'a certificate in PEM is needed'],
    ['nonsense', 'a certificate in PEM is needed'],
    [END + BEGIN, 'a certificate in it does not parse'],
    [`${BEGIN}\n${one.cert}`, 'a certificate in it does not parse'],
    [`${one.cert}${BEGIN}`, 'a certificate in it does not parse'],
    [one.cert.replace('MII', 'MMM'), 'a certificate in it does not parse'],
    [' '.repeat(MAX_PEM + 1), `it has ${MAX_PEM + 1} characters, and at most ${MAX_PEM} are taken`],
  ])('case %# is refused with its reason', (text, reason) => {
    expect(names(text)).toBe(reason);
  });

  it('hold a bounded number of certificates', () => {
    const many = one.cert.repeat(MAX_CERTIFICATES + 1);
    expect(many.length).toBeLessThan(MAX_PEM);
    expect(names(many)).toBe(`it holds more than ${MAX_CERTIFICATES} certificates`);
  });

  it.each([
    ['begins that never end', (n: number) => BEGIN.repeat(n)],
    ['ends that never began', (n: number) => END.repeat(n)],
    ['dashes', (n: number) => '-'.repeat(n * BEGIN.length)],
    ['begins before one end', (n: number) => BEGIN.repeat(n) + END],
  ])('of %s take time in proportion', (_name, text) => {
    const most = Math.floor(MAX_PEM / BEGIN.length) - 1;
    cost(text(most));
    const best = (n: number): number => Math.min(...Array.from({ length: 5 }, () => cost(text(n))));
    // Sixteen times the text; with its square it would be 256 times.
    expect(best(most)).toBeLessThan(64 * Math.max(best(most / 16), 5));
  });

  it('of keys are refused when a handshake with them would hold up everybody', () => {
    expect(privateKeyProblem(one.key)).toBeNull();
    const rsa = (modulusLength: number): string =>
      generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(privateKeyProblem(rsa(2048))).toBeNull();
    expect(privateKeyProblem(rsa(4352))).toMatch(/at most 4096 bits/);
    const { privateKey } = generateKeyPairSync('x25519');
    expect(privateKeyProblem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toMatch(/is needed/);
    expect(privateKeyProblem('nonsense')).toBe('a private key in PEM is needed');
    expect(privateKeyProblem('-'.repeat(MAX_PEM + 1))).toMatch(/^it has/);
    expect(belongTogether(one.cert, one.key)).toBe(true);
    expect(belongTogether(`words\n${one.cert}`, other.key)).toBe(false);
  });
});
