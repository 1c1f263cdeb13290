/** Responses that are right, and every way that is known to make a wrong one look so. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { IdentityProvider } from './metadata.ts';
import { readResponse } from './response.ts';
import {
  answerOf,
  assertionOf,
  ENTITY,
  newKey,
  responseOf,
  RSA_SHA256,
  type Said,
  signedXml,
  SIGN_ON,
} from './testing.ts';

const KEY = newKey();
const OTHER = newKey();
const NOW = Date.parse('2026-06-01T12:00:00Z');
const SERVICE = { entityId: 'https://app.test/ngrok/saml/metadata', consumerUrl: 'https://app.test/ngrok/saml/acs' };
const IDP: IdentityProvider = {
  entityId: ENTITY,
  keys: [new X509Certificate(OTHER.cert).publicKey, new X509Certificate(KEY.cert).publicKey],
  binding: 'redirect',
  url: SIGN_ON,
};
const ONLY: IdentityProvider = { ...IDP, keys: IDP.keys.slice(1) };

function said(change: Partial<Said> = {}): Said {
  return { now: NOW, audience: SERVICE.entityId, recipient: SERVICE.consumerUrl, inResponseTo: '_q1', ...change };
}

/** `ada-1`, or why nobody. */
function read(xml: string, idp = ONLY): string {
  const answer = readResponse(xml, idp, SERVICE, NOW);
  if (answer.kind === 'known') return answer.assertion.identity.subject;
  return answer.kind === 'denied' ? 'denied' : answer.problem;
}

describe('taken', () => {
  test('a signed assertion, by any key of the provider', () => {
    const answer = readResponse(answerOf(said(), KEY), IDP, SERVICE, NOW);
    expect(answer).toEqual({
      kind: 'known',
      assertion: {
        id: '_a1',
        identity: { subject: 'ada-1', email: 'ada@example.com', name: 'Ada' },
        groups: [],
        inResponseTo: '_q1',
        usableUntil: NOW + 360_000,
        sessionUntil: Infinity,
      },
    });
  });

  test('a signed response, and both signed', () => {
    expect(read(signedXml(responseOf(said(), assertionOf(said())), 'Response', KEY))).toBe('ada-1');
    expect(read(signedXml(answerOf(said(), KEY), 'Response', KEY))).toBe('ada-1');
  });

  test('clocks that are a minute apart', () => {
    expect(read(answerOf(said({ notBefore: 59_000 }), KEY))).toBe('ada-1');
    expect(read(answerOf(said({ notOnOrAfter: -59_000, confirmedUntil: -59_000 }), KEY))).toBe('ada-1');
  });

  test('an address as the name of the person, groups, and the end of the session', () => {
    const change = {
      nameId: 'ada@example.com',
      nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      attributes: { Groups: ['staff', 'ops', 'staff'], givenName: ['Ada'], sn: ['Lovelace'] },
      sessionUntil: 60_000,
    };
    expect(readResponse(answerOf(said(change), KEY), ONLY, SERVICE, NOW)).toMatchObject({
      assertion: {
        identity: { subject: 'ada@example.com', email: 'ada@example.com', name: 'Ada Lovelace' },
        groups: ['staff', 'ops'],
        sessionUntil: NOW + 60_000,
      },
    });
  });
});

describe('refused for what it says', () => {
  test.each<[string, Partial<Said>, string]>([
    ['expired', { notOnOrAfter: -61_000 }, 'has expired'],
    ['its confirmation expired', { confirmedUntil: -61_000 }, 'SubjectConfirmationData'],
    ['not valid yet', { notBefore: 61_000 }, 'not valid yet'],
    ['for another audience', { audience: 'https://other.test/' }, 'another audience'],
    [
      'for another recipient',
      { recipient: 'https://other.test/acs', destination: SERVICE.consumerUrl },
      'SubjectConfirmation',
    ],
    ['for another destination', { destination: 'https://other.test/acs' }, 'Destination'],
    ['of another issuer', { issuer: 'https://evil.test/' }, 'another issuer'],
    ['a session that is over', { sessionUntil: -61_000 }, 'session that is over'],
    ['nobody', { nameId: '' }, 'names nobody'],
    ['denied', { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, 'denied'],
  ])('%s', (_, change, words) => {
    expect(read(answerOf(said(change), KEY))).toContain(words);
  });
});

describe('refused for its signature', () => {
  const good = answerOf(said(), KEY);
  const signature = /<Signature.*<\/Signature>/s.exec(good)?.[0] ?? '';
  const signed = /<saml:Assertion.*<\/saml:Assertion>/s.exec(good)?.[0] ?? '';
  const bare = signed.replace(signature, '');
  const evil = assertionOf(said({ id: '_evil', nameId: 'root' }));
  const whole = signedXml(responseOf(said(), assertionOf(said())), 'Response', KEY);
  const wholeSignature = /<Signature.*<\/Signature>/s.exec(whole)?.[0] ?? '';
  const evilWhole = responseOf(said(), evil).replace('ID="_r1"', 'ID="_evil-r"');
  const inObject = (of: string, inner: string): string =>
    of.replace('</Signature>', `<Object xmlns="http://www.w3.org/2000/09/xmldsig#">${inner}</Object></Signature>`);
  const response = (...parts: string[]): string => responseOf(said(), parts.join(''));
  const withSignature = (assertion: string, given: string): string =>
    assertion.replace('</saml:Issuer>', `</saml:Issuer>${given}`);
  const withWhole = (given: string): string => evilWhole.replace('</saml:Issuer>', `</saml:Issuer>${given}`);

  test('what these are made of is right by itself', () => {
    expect(signature).not.toBe('');
    expect(read(good)).toBe('ada-1');
    expect(read(whole)).toBe('ada-1');
  });

  test.each<[string, string]>([
    ['not signed', response(bare)],
    ['signed by somebody else', answerOf(said(), OTHER)],
    ['changed: another person', good.replace('>ada-1<', '>root<')],
    [
      'changed: another audience',
      answerOf(said({ audience: 'https://b.test/' }), KEY).replace('b.test/', 'app.test/ngrok/saml/metadata'),
    ],
    [
      'changed: a digest of the forger',
      good.replace(/<DigestValue>[^<]*/, `<DigestValue>${Buffer.alloc(32).toString('base64')}`),
    ],
    ['no value', good.replace(/<SignatureValue>[^<]*/, '<SignatureValue>')],
    // XSW1 to XSW8, as the literature numbers them (Somorovsky et al., "On Breaking SAML", 2012).
    [
      'XSW1: the signed response within the signature of another',
      withWhole(inObject(wholeSignature, whole.replace(wholeSignature, ''))),
    ],
    [
      'XSW2: the signed response beside the signature of another',
      withWhole(whole.replace(wholeSignature, '') + wholeSignature),
    ],
    ['XSW3: an assertion before the signed one', response(evil, signed)],
    [
      'XSW4: the signed assertion within another',
      response(evil.replace('</saml:Assertion>', `${signed}</saml:Assertion>`)),
    ],
    [
      'XSW5: the signature in another assertion, the signed one behind it',
      response(withSignature(evil, signature), bare),
    ],
    [
      'XSW6: the signed assertion within the signature of another',
      response(withSignature(evil, inObject(signature, bare))),
    ],
    ['XSW7: another assertion in extensions', response(`<samlp:Extensions>${evil}</samlp:Extensions>`, signed)],
    [
      'XSW8: the signed assertion in an object, the other one signed by it',
      response(signed.replace(bare.slice(0, 20), bare.slice(0, 20)).replace(signature, inObject(signature, evil))),
    ],
    ['another assertion behind the signed one', response(signed, evil)],
    ['two assertions of one id', response(assertionOf(said({ nameId: 'root' })), signed)],
    ['another response around the signed one', evilWhole.replace('</samlp:Response>', `${whole}</samlp:Response>`)],
    [
      'the same, as an attribute would have it',
      response(signed.replace('<saml:AttributeStatement>', `<saml:AttributeStatement>${evil}`)),
    ],
    ['an id that two elements have', response(`<samlp:Extensions><x ID="_a1"/></samlp:Extensions>`, signed)],
    ['an id that another attribute has', response(`<samlp:Extensions><x Id="_a1"/></samlp:Extensions>`, signed)],
    ['signed twice', response(withSignature(signed, signature))],
    ['a signature that is of nothing here', response(signed.replace(`URI="#_a1"`, 'URI="#_a2"'))],
    ['a signature of the whole document', response(signed.replace(`URI="#_a1"`, 'URI=""'))],
    [
      'a second thing signed with it',
      responseOf(said(), signedXml(assertionOf(said()), 'Assertion', KEY, { also: "//*[local-name(.)='Subject']" })),
    ],
    ['SHA-1', responseOf(said(), signedXml(assertionOf(said()), 'Assertion', KEY, { weak: true }))],
    ['a secret where a key should be', good.replace(RSA_SHA256, 'http://www.w3.org/2000/09/xmldsig#hmac-sha1')],
    [
      'a canonical form with comments',
      responseOf(
        said(),
        signedXml(assertionOf(said()), 'Assertion', KEY, {
          transforms: [
            'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
            'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
          ],
        }),
      ),
    ],
    ['a comment in the name', good.replace('>ada-1<', '>ada<!---->-1<')],
    [
      'a comment that cuts a name',
      answerOf(said({ nameId: 'root@test.evil' }), KEY).replace('root@test.evil', 'root@test<!-- -->.evil'),
    ],
    ['CDATA', good.replace('>ada-1<', '><![CDATA[ada-1]]><')],
    ['an entity', good.replace('<samlp:Response', '<!DOCTYPE a [<!ENTITY x "ada-1">]><samlp:Response')],
    ['a processing instruction', good.replace('<samlp:Status>', '<?x y?><samlp:Status>')],
    [
      'an encrypted assertion',
      responseOf(said(), '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>'),
    ],
    ['no assertion', responseOf(said(), '')],
    ['an assertion alone', signed],
    ['no XML', 'nonsense'],
    ['nothing', ''],
  ])('%s', (_, xml) => {
    const answer = readResponse(xml, ONLY, SERVICE, NOW);
    expect(answer.kind, JSON.stringify(answer)).toBe('unusable');
  });

  test('its own certificate says nothing', () => {
    const der = OTHER.cert.replaceAll(/-----[A-Z ]+-----|\s/g, '');
    const info = `<KeyInfo><X509Data><X509Certificate>${der}</X509Certificate></X509Data></KeyInfo></Signature>`;
    const forged = answerOf(said({ nameId: 'root' }), OTHER);
    expect(read(forged.replace('</Signature>', info))).toContain('not signed by a key of the identity provider');
    // Where the key is right, what stands beside it changes nothing.
    expect(read(good.replace('</Signature>', info))).toBe('ada-1');
  });
});

test('what costs a lot is refused before it does', () => {
  const within = (inner: string): string => responseOf(said(), inner);
  expect(read(within('<a>'.repeat(5_000)))).toMatch(/deeper|elements/);
  expect(read(within('<a/>'.repeat(3_000)))).toContain('elements');
  expect(read(within(Array.from({ length: 400 }, (_, at) => `<a xmlns:n${at}="u"/>`).join('')))).toContain(
    'namespaces',
  );
  expect(read(within('x'.repeat(200_000)))).toContain('longer');
});
