/** What an identity provider says of itself (SAML Metadata §2.4.3). */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { allIn, attribute, childrenOf, isElement, NS, parentOf, parseXml, textOf, type XmlElement } from './xml.ts';

export interface IdentityProvider {
  readonly entityId: string;
  /** Any of them may sign. */
  readonly keys: readonly KeyObject[];
  /** Where a request goes, and how. */
  readonly binding: 'redirect' | 'post';
  readonly url: string;
}

/** Those of large installations name every one of their services. */
export const MOST_METADATA = 256 * 1024;
const BOUNDS = { characters: MOST_METADATA, elements: 5_000 };

const SAML2 = NS.protocol;
const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:';
const MOST_KEYS = 10;

/** @returns what is wrong with it, as words behind "it" */
export function readMetadata(text: string): IdentityProvider | string {
  const root = parseXml(text, BOUNDS);
  if (typeof root === 'string') return root;
  if (!isElement(root, NS.metadata, 'EntityDescriptor') && !isElement(root, NS.metadata, 'EntitiesDescriptor')) {
    return 'is no metadata of SAML 2.0: its root is neither EntityDescriptor nor EntitiesDescriptor';
  }
  const roles = allIn(root, NS.metadata, 'IDPSSODescriptor').filter((one) =>
    attribute(one, 'protocolSupportEnumeration').split(/\s+/).includes(SAML2),
  );
  const [role, ...others] = roles;
  if (role === undefined) return 'describes no identity provider (IDPSSODescriptor)';
  if (others.length > 0) return 'describes more than one identity provider';
  if (attribute(role, 'WantAuthnRequestsSigned') === 'true') return 'wants requests that are signed, and these are not';
  const parent = parentOf(role);
  const entityId = parent === null ? '' : attribute(parent, 'entityID');
  if (entityId === '' || entityId.length > 1_024) return 'has no entityID';
  const keys = keysOf(role);
  if (typeof keys === 'string') return keys;
  const services = childrenOf(role, NS.metadata, 'SingleSignOnService');
  for (const [binding, name] of [
    ['redirect', 'HTTP-Redirect'],
    ['post', 'HTTP-POST'],
  ] as const) {
    const url = attribute(services.find((one) => attribute(one, 'Binding') === BINDING + name) ?? role, 'Location');
    if (isWeb(url)) return { entityId, keys, binding, url };
  }
  return 'has no SingleSignOnService with the binding HTTP-Redirect or HTTP-POST';
}

function keysOf(role: XmlElement): readonly KeyObject[] | string {
  const keys: KeyObject[] = [];
  for (const descriptor of childrenOf(role, NS.metadata, 'KeyDescriptor')) {
    if (!['', 'signing'].includes(attribute(descriptor, 'use'))) continue;
    for (const certificate of allIn(descriptor, NS.signature, 'X509Certificate')) {
      const der = Buffer.from(textOf(certificate) ?? '', 'base64');
      try {
        // Its dates are not looked at: what is in the metadata is trusted for as long as it is there.
        keys.push(new X509Certificate(der).publicKey);
      } catch {
        return 'has a certificate that does not parse';
      }
    }
  }
  if (keys.length === 0) return 'has no certificate that responses are signed by';
  if (keys.length > MOST_KEYS) return `has more than ${MOST_KEYS} certificates`;
  if (keys.some(({ asymmetricKeyType }) => asymmetricKeyType !== 'rsa'))
    return 'has a certificate whose key is not RSA';
  return keys;
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && ['https:', 'http:'].includes(new URL(url).protocol);
}
