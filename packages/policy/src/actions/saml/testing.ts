/** An identity provider of SAML 2.0 for tests: it signs with a key of its own, whatever it is told to say. */
import { createPrivateKey } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import { selfSigned } from '../../testing/certificate.ts';
import { NS } from './xml.ts';

export const ENTITY = 'https://idp.test/saml';
export const SIGN_ON = 'https://idp.test/saml/sso';

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const RSA_SHA1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';

export interface TestKey {
  readonly cert: string;
  readonly key: string;
}
export const newKey = (): TestKey => selfSigned('idp.test', 'Test', 'rsa');

export function metadata({ cert }: TestKey, change: { readonly post?: boolean; readonly more?: string } = {}): string {
  const der = cert.replaceAll(/-----[A-Z ]+-----|\s/g, '');
  const binding = `urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${change.post === true ? 'POST' : 'Redirect'}`;
  return (
    `<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="${NS.metadata}" entityID="${ENTITY}">` +
    `<md:IDPSSODescriptor protocolSupportEnumeration="${NS.protocol}"${change.more ?? ''}>` +
    `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${NS.signature}"><ds:X509Data><ds:X509Certificate>${der}` +
    `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
    `<md:SingleSignOnService Binding="${binding}" Location="${SIGN_ON}"/></md:IDPSSODescriptor></md:EntityDescriptor>`
  );
}

/** What the provider says; everything may be changed, one thing at a time. */
export interface Said {
  readonly now: number;
  /** The service, as it calls itself. */
  readonly audience: string;
  readonly recipient: string;
  /** '' = nobody has asked. */
  readonly inResponseTo: string;
  readonly id?: string;
  readonly nameId?: string;
  readonly nameIdFormat?: string;
  readonly issuer?: string;
  readonly destination?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds from now. */
  readonly notBefore?: number;
  readonly notOnOrAfter?: number;
  readonly confirmedUntil?: number;
  readonly sessionUntil?: number;
  readonly status?: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export function assertionOf(said: Said): string {
  const { now, audience, recipient, inResponseTo, id = '_a1', nameId = 'ada-1' } = said;
  const asked = inResponseTo === '' ? '' : ` InResponseTo="${inResponseTo}"`;
  const format = said.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
  const ends = said.sessionUntil === undefined ? '' : ` SessionNotOnOrAfter="${iso(now + said.sessionUntil)}"`;
  const attributes = Object.entries(said.attributes ?? { email: ['ada@example.com'], displayName: ['Ada'] }).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  );
  return (
    `<saml:Assertion xmlns:saml="${NS.assertion}" ID="${id}" Version="2.0" IssueInstant="${iso(now)}">` +
    `<saml:Issuer>${said.issuer ?? ENTITY}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${format}">${nameId}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${asked} ` +
    `NotOnOrAfter="${iso(now + (said.confirmedUntil ?? 300_000))}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${iso(now + (said.notBefore ?? -1_000))}" NotOnOrAfter="${iso(now + (said.notOnOrAfter ?? 300_000))}">` +
    `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${iso(now)}"${ends}><saml:AuthnContext><saml:AuthnContextClassRef>` +
    'urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>' +
    `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement></saml:Assertion>`
  );
}

export function responseOf(said: Said, assertion: string): string {
  const status = said.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success';
  return (
    `<samlp:Response xmlns:samlp="${NS.protocol}" ID="_r1" Version="2.0" IssueInstant="${iso(said.now)}" ` +
    `Destination="${said.destination ?? said.recipient}"><saml:Issuer xmlns:saml="${NS.assertion}">${ENTITY}</saml:Issuer>` +
    `<samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${assertion}</samlp:Response>`
  );
}

export interface Signing {
  readonly weak?: boolean;
  readonly transforms?: readonly string[];
  /** Of a second thing that is signed with it. */
  readonly also?: string;
}

/** Signs the element of that name, behind its issuer. */
export function signedXml(
  xml: string,
  name: 'Assertion' | 'Response',
  { key }: TestKey,
  signing: Signing = {},
): string {
  const signer = new SignedXml({
    privateKey: createPrivateKey(key),
    signatureAlgorithm: signing.weak === true ? RSA_SHA1 : RSA_SHA256,
    canonicalizationAlgorithm: EXCLUSIVE,
  });
  const path = `//*[local-name(.)='${name}']`;
  const transforms = signing.transforms ?? [ENVELOPED, EXCLUSIVE];
  signer.addReference({ xpath: path, transforms, digestAlgorithm: SHA256 });
  if (signing.also !== undefined) signer.addReference({ xpath: signing.also, transforms, digestAlgorithm: SHA256 });
  signer.computeSignature(xml, { location: { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' } });
  return signer.getSignedXml();
}

/** A whole response with one signed assertion. */
export function answerOf(said: Said, key: TestKey): string {
  return responseOf(said, signedXml(assertionOf(said), 'Assertion', key));
}

/** What the browser posts. */
export function formOf(response: string, relay = ''): string {
  const form = new URLSearchParams({ SAMLResponse: Buffer.from(response).toString('base64') });
  if (relay !== '') form.set('RelayState', relay);
  return form.toString();
}

/** An AuthnRequest of the redirect binding, and what stands in its attributes. */
export function requestIn(location: string): { readonly xml: string; readonly at: (name: string) => string } {
  const deflated = new URL(location).searchParams.get('SAMLRequest') ?? '';
  const xml = inflateRawSync(Buffer.from(deflated, 'base64')).toString();
  return { xml, at: (name) => xml.split(` ${name}="`)[1]?.split('"')[0] ?? '' };
}
